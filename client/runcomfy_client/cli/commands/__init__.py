"""The commands, a module for each that is more than a few lines; loaded when called."""

from __future__ import annotations
