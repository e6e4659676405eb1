"""The third step, names: Python names, and the lock that keeps published names."""
