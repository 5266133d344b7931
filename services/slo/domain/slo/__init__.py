"""An SLO: what is promised about a service, in numbered revisions."""
