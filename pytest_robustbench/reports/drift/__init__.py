"""The line's own drift for people and programs: in units and words, drift.json, page and YAML."""
