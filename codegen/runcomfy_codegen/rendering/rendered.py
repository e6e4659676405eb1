"""What rendering makes of one model; apart from render.py, which is slow to load."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The text of one model. `imports` are those its methods' annotations need, relative to the family's module."""

    spec: str
    models: str
    method: str
    async_method: str
    imports: dict[str, tuple[str, ...]]
