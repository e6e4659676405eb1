"""The measured programs: each a small script that does one thing in a process of its own and prints what it cost."""
