"""Demand, supply, and when it will not be enough."""
