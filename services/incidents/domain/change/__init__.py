"""A change that a sender tells of: kept, shown beside incidents, and never a reason to call anybody."""
