"""An architecture that both sides look at together."""
