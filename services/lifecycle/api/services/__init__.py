"""The catalogue of services: what depends on what, imports, and whether a service still stands where it is."""
