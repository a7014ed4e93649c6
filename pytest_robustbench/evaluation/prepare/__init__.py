"""Fit and calibrate, once: from a split and a detector to an operating point."""
