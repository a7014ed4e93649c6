"""One condition: from the images it shows to counts, scores and metrics."""
