"""Tests of tolerances as they are measured."""
