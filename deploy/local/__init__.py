"""Real servers on a machine that has only Python."""
