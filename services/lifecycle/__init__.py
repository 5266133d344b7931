"""Teams, services, their phases, and the gates between them."""
