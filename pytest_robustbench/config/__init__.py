"""robustness.yaml to validated, frozen domain objects."""
