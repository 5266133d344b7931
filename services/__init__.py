"""The services, which share nothing but events."""
