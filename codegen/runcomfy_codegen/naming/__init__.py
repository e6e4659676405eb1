"""The third step, names: what things are called in Python, and the lock that keeps published names."""
