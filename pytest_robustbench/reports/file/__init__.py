"""The files: their shape, how they are written and read, and whether they are whole."""
