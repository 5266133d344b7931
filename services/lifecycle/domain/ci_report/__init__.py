"""What CI counted about the code of a service."""
