"""The studio's pages: what each address answers."""

from __future__ import annotations
