"""The rules of one schedule, and of what people decide beside it."""
