"""An escalation: one per incident, from the first call until somebody takes it on or it is over."""
