"""The rules of one silence: alerts that match it page nobody until it is over."""
