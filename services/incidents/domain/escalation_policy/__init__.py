"""An escalation policy: who is called, one step after the other, until somebody takes an incident on."""
