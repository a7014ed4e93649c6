"""The line's own drift: what has changed between good parts before and good parts after."""
