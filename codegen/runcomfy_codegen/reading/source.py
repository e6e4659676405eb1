"""Read a JSON file strictly: into a document, or into every reason why there is none."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..diagnostics.diagnostic import Diagnostic, display, quote
from .positions import place_at, place_of_byte, pointer_text, scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..diagnostics.diagnostic import Place
    from .positions import Part, Pointer

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# Far beyond any real schema, far below what recursion in the steps behind can take.
MAX_DEPTH = 64
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class _MakeDiagnostic(Protocol):
    def __call__(self, code: str, message: str, start: int, end: int, help: str | None = None) -> Diagnostic: ...


@dataclass(frozen=True)
class Document:
    """A JSON file that was read: its value, and its text to point into.

    `name` is the path as messages show it.
    """

    name: str
    text: str
    value: Json

    def place(self, pointer: Pointer = (), part: Part = "value") -> Place:
        """Where the value or the key at a pointer stands; if nothing is there, where the nearest parent does."""
        keys, values = self._spans
        while pointer not in values:
            pointer, part = pointer[:-1], "value"
        start, end = keys[pointer] if part == "key" and pointer in keys else values[pointer]
        return place_at(self.text, start, end)

    def diagnostic(
        self, code: str, message: str, pointer: Pointer = (), part: Part = "value", help: str | None = None
    ) -> Diagnostic:
        """A diagnostic at a pointer of this document."""
        return Diagnostic(
            code=code,
            message=message,
            file=self.name,
            pointer=pointer_text(pointer),
            place=self.place(pointer, part),
            help=help,
        )

    @cached_property
    def _spans(self) -> tuple[dict[Pointer, tuple[int, int]], dict[Pointer, tuple[int, int]]]:
        keys: dict[Pointer, tuple[int, int]] = {}
        values: dict[Pointer, tuple[int, int]] = {}
        for pointer, part, start, end in scan(self.text):
            # The last of two equal keys is the one json.loads keeps.
            (keys if part == "key" else values)[pointer] = (start, end)
        return keys, values


def read_document(path: Path) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Read a file; either the document or the reasons why there is none."""
    label = display(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, (Diagnostic(code="E001", message=f"cannot be read: {error.strerror or error}", file=label),)
    return parse_document(data, label)


def parse_document(data: bytes, name: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """The same for bytes that are read already."""
    if data.startswith(b"\xef\xbb\xbf"):
        return None, (
            Diagnostic(
                code="E002",
                message="starts with a byte order mark, which JSON does not allow",
                file=name,
                help="Save the file as UTF-8 without a byte order mark.",
            ),
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, (
            Diagnostic(
                code="E002",
                message=f"is not UTF-8: byte 0x{data[error.start]:02x} cannot stand here",
                file=name,
                place=place_of_byte(data, error.start),
                help="Save the file as UTF-8.",
            ),
        )
    return parse_text(text, name)


def parse_text(text: str, name: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """The same for text: strict JSON, each key once, numbers that a double holds, text that UTF-8 holds."""
    suspicious: list[str] = []

    def pairs(items: list[tuple[str, Json]]) -> dict[str, Json]:
        result = dict(items)
        if len(result) != len(items):
            suspicious.append("E005")
        return result

    def number(literal: str) -> float:
        value = float(literal)
        if math.isinf(value):
            suspicious.append("E007")
        return value

    def integer(literal: str) -> int | float:
        # A number of a thousand digits is an attack or an accident; int() itself refuses more than 4,300.
        return int(literal) if len(literal) < 300 else number(literal)

    def constant(literal: str) -> float:
        suspicious.append("E004")
        return 0.0

    def diagnostic(code: str, message: str, start: int, end: int, help: str | None = None) -> Diagnostic:
        return Diagnostic(code=code, message=message, file=name, place=place_at(text, start, end), help=help)

    deep = diagnostic("E006", f"is nested more than {MAX_DEPTH} levels deep", 0, 1)
    try:
        value: Json = json.loads(
            text, object_pairs_hook=pairs, parse_float=number, parse_int=integer, parse_constant=constant
        )
    except RecursionError:
        return None, (deep,)
    except json.JSONDecodeError as error:
        return None, (diagnostic("E003", f"is not JSON: {_words(error)}", error.pos, error.pos + 1),)
    if too_deep(value):
        return None, (deep,)
    if _SURROGATE_ESCAPE.search(text):
        suspicious.append("E008")
    diagnostics = tuple(_token_diagnostics(text, diagnostic)) if suspicious else ()
    return (None, diagnostics) if diagnostics else (Document(name, text, value), ())


def too_deep(value: Json) -> bool:
    """Is a value nested beyond MAX_DEPTH? Checked without recursion."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for node in level
            if isinstance(node, (list, dict))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def _token_diagnostics(text: str, diagnostic: _MakeDiagnostic) -> Iterator[Diagnostic]:
    seen: set[Pointer] = set()
    for pointer, part, start, end in scan(text):
        literal = text[start:end]
        if part == "key":
            if pointer in seen:
                cure = "Keep one of the two; which of them counts is not defined by JSON."
                yield diagnostic(
                    "E005", f"the key {quote(str(pointer[-1]))} stands twice in one object", start, end, cure
                )
                # What stands in the second value is not compared with what stands in the first.
                seen = {place for place in seen if place[: len(pointer)] != pointer}
            seen.add(pointer)
        if literal.startswith('"'):
            try:
                json.loads(literal).encode("utf-8")
            except UnicodeEncodeError:
                yield diagnostic("E008", "holds half of a surrogate pair, which is not a character", start, end)
        elif literal in ("NaN", "Infinity", "-Infinity"):
            yield diagnostic("E004", f"{literal} is no JSON number", start, end)
        elif literal[:1] in "-0123456789" and math.isinf(float(literal)):
            yield diagnostic("E007", "is a number too large for a double", start, end)


def _words(error: json.JSONDecodeError) -> str:
    text = error.msg.removesuffix(" at")
    return text[:1].lower() + text[1:]
