"""The process that keeps results: what was selected, what came of it, what is written."""
