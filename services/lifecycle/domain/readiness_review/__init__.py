"""A production readiness review of one service: what was asked, answered, found, and decided."""
