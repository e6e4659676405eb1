"""The catalogue of faults: what each code means, why it is one, and how it is cured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of fault. `text` is what `runcomfy-codegen explain CODE` prints."""

    code: str
    title: str
    text: str


FILE_CODES = (
    Code(
        "E001",
        "a file cannot be read",
        "The file is there but the system does not let it be read: permissions, a directory in its place, a broken "
        "disk. The system's own words follow.",
    ),
    Code(
        "E002",
        "a file is not UTF-8",
        "Schemas are UTF-8 without a byte order mark, as JSON demands. Editors on Windows like to write UTF-16 or to "
        "put a byte order mark in front.",
    ),
    Code(
        "E003",
        "a file is not JSON",
        "The place is where the reader could not go on; the cause is often just before it: a comma too many, a quote "
        "that was never closed, two documents in one file, a comment.",
    ),
    Code(
        "E004",
        "NaN or Infinity",
        "JSON has no such numbers. Python's reader lets them pass; the API's would not.",
    ),
    Code(
        "E005",
        "a key stands twice",
        "Readers disagree which of two equal keys counts, so a schema with one judges differently here and there. "
        "Keep one of the two. (A patch cannot cure this: it needs a document that can be read.)",
    ),
    Code(
        "E006",
        "too deep",
        "No real schema is nested that deeply. A file that is was made to break its reader.",
    ),
    Code(
        "E007",
        "a number too large",
        "The number is beyond what a double holds, so no two readers would agree on it.",
    ),
    Code(
        "E008",
        "half a surrogate pair",
        "An escape like \\ud83d stands without its other half. It is no character and cannot be written as UTF-8.",
    ),
)


def catalogue() -> dict[str, Code]:
    """Every code of the program, those of the commands that bring schemas in included."""
    from .intake.codes import CODES

    return {each.code: each for each in (*FILE_CODES, *CODES)}
