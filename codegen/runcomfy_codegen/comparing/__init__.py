"""What changed: between two schemas of a model, between two packages; and what each change means for callers."""
