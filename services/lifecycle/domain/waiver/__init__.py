"""A waiver: a check that is not met is let through for a while, by somebody who answers for the risk."""
