"""What a run shows on the terminal: header, progress, summary."""
