"""What a team spent its time on."""
