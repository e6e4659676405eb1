"""Faults on demand: a small language for them, a schedule that says when, and the hands that bring them to the wire."""
