"""The rules of incidents; standard library only."""
