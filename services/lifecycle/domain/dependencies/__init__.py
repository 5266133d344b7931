"""What a service relies on."""
