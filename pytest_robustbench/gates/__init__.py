"""Numbers and limits to verdicts."""
