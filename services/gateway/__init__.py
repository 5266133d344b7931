"""The gateway: one API for everyone; forwards to the owners and answers what concerns several of them."""
