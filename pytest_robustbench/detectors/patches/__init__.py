"""The patch-kNN family: what a patch is, what is remembered of it, and how far a new one is."""
