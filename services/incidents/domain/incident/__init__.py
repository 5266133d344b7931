"""The rules of one incident."""
