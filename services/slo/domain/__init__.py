"""The rules and the arithmetic of SLOs: standard library only."""
