"""The HTTP edge that every service shares: problems, health, idempotency, consistency, paging."""
