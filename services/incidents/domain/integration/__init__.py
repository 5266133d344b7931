"""The rules of one integration: a sender of alerts, its key, and how its alerts are sorted."""
