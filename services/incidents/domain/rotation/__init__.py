"""The rules of one rotation."""
