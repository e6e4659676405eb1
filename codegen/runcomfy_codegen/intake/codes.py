"""The faults of pages and catalogue replies; they use E070 to E099 and W170 to W199."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..codes import Code

CODES: tuple[Code, ...] = ()
