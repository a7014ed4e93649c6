"""Records to the JSON report and its relatives."""
