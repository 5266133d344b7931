"""Who is asking: keys from outside, signed tokens to the inside."""
