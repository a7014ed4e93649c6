"""Parts of one benchmark, measured apart, put together."""
