"""A checklist for production readiness reviews, version by version."""
