"""Production readiness reviews: templates, answers, verdicts, findings."""
