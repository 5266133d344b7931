"""The gateway's HTTP: the front that authorises and forwards, and the routes that are its own."""
