"""A meeting of two teams, a quarterly update or a service review: drafted from data, completed by people."""
