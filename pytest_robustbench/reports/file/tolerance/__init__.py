"""What a report holds of a tolerance: model, conversion, and whether it agrees with itself."""
