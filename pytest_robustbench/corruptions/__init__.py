"""Image and mask to corrupted image and mask: pure functions."""
