"""The gate policies of this installation: published one after the other, the last one is in force."""
