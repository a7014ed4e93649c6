"""Anything that scores images, behind one protocol."""
