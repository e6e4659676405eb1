"""Makes a typed Python client from RunComfy's model schemas."""

__version__ = "0.1.0"
