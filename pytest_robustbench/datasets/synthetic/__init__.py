"""Data sets that are drawn: surfaces, defects, and the categories made of them."""
