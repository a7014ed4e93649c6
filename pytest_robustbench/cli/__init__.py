"""The command line: thin front ends of the public Python API."""
