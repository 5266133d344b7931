"""Gates between phases: evidence, waivers, policies, transitions, and phases at risk."""
