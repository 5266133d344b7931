"""What has been told of a schedule: who belongs to it, whose shifts moved, which limits are broken."""
