"""Text to values that know where they were written; nothing here knows what they mean."""
