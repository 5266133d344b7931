"""A dated attestation: something was done, and here is where to see it."""
