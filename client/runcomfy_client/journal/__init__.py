"""The journal: a record of every submit, so that no paid job is lost and none is paid twice. See `base`."""

from __future__ import annotations

from .base import JournalEntry
from .budget import Budget
from .journal import Journal

__all__ = ["Budget", "Journal", "JournalEntry"]
