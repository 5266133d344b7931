"""SLOs: their definitions, measurements, error budgets and burn-rate alerts."""
