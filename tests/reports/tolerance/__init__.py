"""Tests of tolerances in reports: records, whether they agree with themselves, words, page."""
