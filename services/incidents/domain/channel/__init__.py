"""A channel: a way to reach a person or a team. Its address stands outside of the log, so that it can be erased."""
