"""The shape of robustness.yaml, section by section; it knows `yaml`, and is known to `checks`."""
