"""Who is on call when: arithmetic of wall clocks, rotations, layers and limits, without a clock of its own."""
