"""What an installation wants to know of its incidents beside what all have: typed fields."""
