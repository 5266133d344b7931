"""What other systems send, as plain values."""
