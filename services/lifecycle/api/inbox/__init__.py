"""What waits for a person, and the weekly digest of a team."""
