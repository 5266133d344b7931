"""What every service stands on: events and the web edge."""
