"""The weekly digest of a team: what waits in it at the beginning of a week, told once."""
