"""The incidents service: alerts, incidents, postmortems and what is done about them."""
