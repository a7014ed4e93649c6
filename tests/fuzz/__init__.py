"""Files that were valid once, damaged in every way we can think of: read, or refused in words."""
