"""The journal: a record of every submit, so that no paid job is lost and none is submitted twice."""

from __future__ import annotations

from .base import Journal, JournalEntry

__all__ = ["Journal", "JournalEntry"]
