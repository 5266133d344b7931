"""What could hurt the users of one service, how much of its error budget that would cost, and what is done about it."""
