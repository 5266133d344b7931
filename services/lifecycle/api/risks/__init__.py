"""The register of risks and what it takes of an error budget."""
