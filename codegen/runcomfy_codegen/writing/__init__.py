"""The last step, plan, and what it leads to: the package as a tree of files, compared, written, read back."""
