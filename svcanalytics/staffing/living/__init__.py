"""A plan lived through on sample days: what service comes of it, what differs, and where misses come from."""
