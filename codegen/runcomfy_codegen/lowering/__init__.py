"""The fourth step, lower: a checked schema becomes the client's own tree of nodes, which all steps behind it read."""
