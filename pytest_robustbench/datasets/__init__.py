"""A folder on disk to a split."""
