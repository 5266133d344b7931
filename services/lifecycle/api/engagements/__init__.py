"""What two teams promise each other, and whether it is kept."""
