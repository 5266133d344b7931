"""The HTTP resources of the slo service."""
