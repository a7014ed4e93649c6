"""What is refused beside wrong shapes, and what sections come to; it knows `models` and `yaml`."""
