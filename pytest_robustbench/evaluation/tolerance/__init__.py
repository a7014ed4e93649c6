"""Measures along the severities of one corruption until it is known where image decisions break."""
