"""The last step, plan, and the writing of it: the package as a tree of files, compared, written, read back."""
