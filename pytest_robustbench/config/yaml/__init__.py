"""Text to values: a YAML file as a tree in which everything knows where it was written."""
