"""A development or SRE team."""
