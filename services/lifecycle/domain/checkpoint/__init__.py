"""What a service has shown under a deliberate test: one dated checkpoint per experiment, test, drill or report."""
