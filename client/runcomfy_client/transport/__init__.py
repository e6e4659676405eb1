"""Steps, and the two drivers that carry them out: the only modules that know httpx."""

from __future__ import annotations
