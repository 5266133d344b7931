"""Who is on call by a schedule, as it turns: a stream for each month, so that none grows long."""
