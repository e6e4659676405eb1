"""What a diagnostic is, how it is printed, and what each code means."""
