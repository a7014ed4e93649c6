"""The first severity at which image decisions break, from scores along a ladder of severities."""
