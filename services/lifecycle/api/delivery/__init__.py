"""Deployments and roll-outs, as CI/CD sends them."""
