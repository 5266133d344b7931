"""Alerts on their way to notification targets, until each is delivered."""
