"""The `concordat` command: the only place that wires all services together."""
