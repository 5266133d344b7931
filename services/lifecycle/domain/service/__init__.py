"""A service: who answers for it, how critical it is, and its way through the phases."""
