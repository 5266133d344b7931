"""A feature or change of a live service on its way to the users."""
