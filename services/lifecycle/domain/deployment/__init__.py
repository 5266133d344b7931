"""A version of a service that went somewhere."""
