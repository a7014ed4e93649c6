"""What is refused, and what the sections of the file come to once they are checked."""
