"""The gateway's own rules: who holds a key, and what the key may do."""
