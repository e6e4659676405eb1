"""The second step, check: what the dialect is, and every place where a schema does not follow it."""
