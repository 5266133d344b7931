"""The rules of one shift that somebody had: handed over, acknowledged, closed."""
