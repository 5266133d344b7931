"""A source of measurements: where counts come from, how to ask for them, and whether that works."""
