"""Lifecycle over HTTP."""
