"""Counts per minute: from a file or the topic into packed blocks, and into memory for the arithmetic."""
