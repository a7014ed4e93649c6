"""How well scores rank: exact where they fit in memory, binned where they do not."""
