"""The hand-written half of the client; copied as it is beside every generated one. Importing it loads nothing."""
