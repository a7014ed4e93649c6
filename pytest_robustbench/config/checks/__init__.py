"""What is refused beside wrong shapes, and what the sections come to; it knows `models` and `yaml`."""
