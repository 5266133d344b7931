"""Experiments, load tests, restore tests, drills: what was planned and what came of it."""
