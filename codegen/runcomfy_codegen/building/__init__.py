"""The steps joined for one model, from its files to its text; and the cache and the process pool that save time."""
