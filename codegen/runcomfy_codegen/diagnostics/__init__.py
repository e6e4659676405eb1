"""What a fault is, how it is shown, and what each code stands for."""
