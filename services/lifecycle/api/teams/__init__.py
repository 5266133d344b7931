"""Teams, what they carry, and the figures of both sides."""
