"""A candidate held against a baseline: pass, regressed or inconclusive."""
