"""Who lifecycle asks."""
