"""Templates of postmortems, version by version."""
