"""Scores, maps and masks to numbers: pure functions on arrays."""
