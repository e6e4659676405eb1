"""Media on both sides: those a request names, looked at as a server would, and those a job makes."""
