"""Faults on demand: a small language for them, a schedule that says when they happen, and code that does them."""
