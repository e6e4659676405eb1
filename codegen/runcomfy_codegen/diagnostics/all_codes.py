"""The catalog of all codes; `runcomfy-codegen explain CODE` and the reference print from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .page_codes import PAGE_CODES
from .schema_codes import SCHEMA_CODES
from .store_codes import STORE_CODES

if TYPE_CHECKING:
    from .codes import Code


def all_codes() -> dict[str, Code]:
    """Every code of the program, by its name."""
    return {each.code: each for each in (*STORE_CODES, *SCHEMA_CODES, *PAGE_CODES)}
