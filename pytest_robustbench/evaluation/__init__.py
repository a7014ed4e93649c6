"""Fit, calibrate, evaluate: arrays to condition results."""
