"""Where a notification goes: the address behind the name that alert policies give."""
