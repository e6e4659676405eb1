"""The commands, a module for each group; `app` imports a module when one of its commands is called."""

from __future__ import annotations
