"""The rules of one action."""
