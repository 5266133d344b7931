"""The error-budget policy of a service: what people agreed to do about its budgets, and what followed from it."""
