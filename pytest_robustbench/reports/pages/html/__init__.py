"""report.html: one file, without network, readable without scripts."""
