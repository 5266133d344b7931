"""Postmortems as files: Markdown out and in, a page to print, and what may be shown of Markdown that people wrote."""
