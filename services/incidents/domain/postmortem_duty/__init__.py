"""Whether an incident needs a postmortem, and until when."""
