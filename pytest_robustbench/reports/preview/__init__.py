"""How corruptions look on one's own images: a contact sheet and a page."""
