"""The second step, check: what the dialect is, and every place where a schema is not of it."""
