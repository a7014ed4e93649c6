"""The shape of robustness.yaml, section by section: types, names and ranges; it knows `yaml`."""
