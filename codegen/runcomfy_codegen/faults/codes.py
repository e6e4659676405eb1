"""What a fault's code stands for, and the catalogue of all codes; `runcomfy-codegen explain CODE` prints from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of fault: what it is, why it is one, how it is cured. Indented paragraphs of `text` are examples."""

    code: str
    title: str
    text: str


def catalogue() -> dict[str, Code]:
    """Every code of the program, those of the commands that bring schemas in included."""
    from ..intake.codes import CODES
    from .schema_codes import SCHEMA_CODES
    from .store_codes import STORE_CODES

    return {each.code: each for each in (*STORE_CODES, *SCHEMA_CODES, *CODES)}
