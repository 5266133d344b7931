"""A notification: one message through one channel, from the wish to send it until its fate is known."""
