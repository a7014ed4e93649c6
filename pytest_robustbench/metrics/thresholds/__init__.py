"""Thresholds from normal scores: exact quantiles, streamed or not."""
