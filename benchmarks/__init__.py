"""Measurements side by side with the peers; `python -m benchmarks` runs them and writes docs/benchmarks.md."""
