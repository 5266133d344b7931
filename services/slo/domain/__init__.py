"""The rules and the arithmetic of SLOs: standard library, numpy for series, dateutil for recurrence rules."""
