"""The rules of one postmortem."""
