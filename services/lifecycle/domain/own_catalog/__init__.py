"""The catalogue entries of an installation, beside those that come with the program."""
