"""Designs, architectures, launches, and the two catalogues they are judged by."""
