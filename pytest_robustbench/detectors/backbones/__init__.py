"""Feature networks, by the name a setting gives them."""
