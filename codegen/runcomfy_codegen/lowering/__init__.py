"""The fourth step, lower: a checked schema becomes frozen nodes, the form that all steps behind it read."""
