"""The corruptions that come with the package, one module each."""
