"""An error budget: what the measurements of an SLO mean."""
