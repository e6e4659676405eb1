"""The steps joined for one model, from its files to its text; and the cache and the pool that spare the time."""
