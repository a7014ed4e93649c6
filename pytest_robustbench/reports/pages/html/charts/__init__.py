"""Plots as inline SVG whose colours follow the page."""
