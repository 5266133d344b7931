"""Who is called for an incident, how they are reached, and what becomes of it."""
