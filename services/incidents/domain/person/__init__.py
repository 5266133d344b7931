"""The rules of one person's place among those who can be called."""
