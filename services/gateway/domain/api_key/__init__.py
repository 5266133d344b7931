"""An API key: made once, shown once, valid until it expires or is revoked."""
