"""By which policies a service pages, where it does not go by those of its teams."""
