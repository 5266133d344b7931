"""Settings in, connected adapters out: the one place where a database or a bus is chosen."""
