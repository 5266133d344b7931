"""What waits for a person: each module makes the items of one part of the house; nothing of it is stored."""
