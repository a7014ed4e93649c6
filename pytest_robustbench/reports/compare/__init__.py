"""A report against a stored one: comparability, differences, acceptance, proposals."""
