"""Asking sources for counts: every minute what is new, and the past where it was asked for."""
