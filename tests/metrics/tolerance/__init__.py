"""Tests of where image decisions break along a ladder of severities."""
