"""An adjustment that both sides agreed on: maintenance windows and exclusions."""
