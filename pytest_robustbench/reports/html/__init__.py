"""Pages for people: one file each, without network, readable without scripts."""
