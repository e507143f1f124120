"""Metrics that the library itself does not have."""
