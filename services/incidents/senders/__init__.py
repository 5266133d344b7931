"""What senders of alerts say, in their own words, as signals; each of them by the rules of its own interface."""
