"""A version of a service that goes out step by step."""
