"""Images, charts, and servers for a developer's machine."""
