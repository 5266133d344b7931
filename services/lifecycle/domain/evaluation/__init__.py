"""A gate evaluation, kept whole, so that "why could it move on 3 March?" has an answer."""
