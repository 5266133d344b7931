"""A document of another catalogue, kept as it came in."""
