"""A design that is read by people from outside before it is built."""
