"""What a fault's code stands for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of fault: what it is, why it is one, how it is cured. Indented paragraphs of `text` are examples."""

    code: str
    title: str
    text: str
