"""Read a JSON file strictly, and find the line and column of any part of it when a diagnostic asks."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from ..faults.diagnostics import Diagnostic, Place, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Pointer: TypeAlias = "tuple[str | int, ...]"
Part = Literal["key", "value"]

# Far beyond any real schema, far below what recursion in the steps behind can take.
MAX_DEPTH = 64
# The text is known to be JSON when this runs, so a token's first character says what it is.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class _Fault(Protocol):
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
        """A fault at a pointer of this document."""
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
        for pointer, part, start, end in _scan(self.text):
            # The last of two equal keys is the one json.loads keeps.
            (keys if part == "key" else values)[pointer] = (start, end)
        return keys, values


def read_document(path: Path, name: str | None = None) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Read a file; either the document or the reasons why there is none."""
    shown = name or display(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, (Diagnostic(code="E001", message=f"cannot be read: {error.strerror or error}", file=shown),)
    return parse_document(data, shown)


def parse_document(data: bytes, name: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """The same for bytes already at hand."""
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
        before = data[: error.start].decode("utf-8")
        line = data[error.start :].split(b"\n", 1)[0].decode("utf-8", "replace")
        return None, (
            Diagnostic(
                code="E002",
                message=f"is not UTF-8: byte 0x{data[error.start]:02x} cannot stand here",
                file=name,
                place=place_at(before + line, len(before), len(before) + 1),
                help="Save the file as UTF-8.",
            ),
        )
    return parse_text(text, name)


def parse_text(text: str, name: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """The same for text: strict JSON, each key once, numbers that a double holds, text that UTF-8 holds."""
    suspicious: list[str] = []

    def pairs(items: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(items)
        if len(found) != len(items):
            suspicious.append("E005")
        return found

    def number(literal: str) -> float:
        value = float(literal)
        if math.isinf(value):
            suspicious.append("E007")
        return value

    def integer(literal: str) -> int | float:
        # A number of a thousand digits is an attack or an accident; int() itself gives up at 4,300.
        return int(literal) if len(literal) < 300 else number(literal)

    def constant(literal: str) -> float:
        suspicious.append("E004")
        return 0.0

    def fault(code: str, message: str, start: int, end: int, help: str | None = None) -> Diagnostic:
        return Diagnostic(code=code, message=message, file=name, place=place_at(text, start, end), help=help)

    deep = fault("E006", f"is nested more than {MAX_DEPTH} levels deep", 0, 1)
    try:
        value: Json = json.loads(
            text, object_pairs_hook=pairs, parse_float=number, parse_int=integer, parse_constant=constant
        )
    except RecursionError:
        return None, (deep,)
    except json.JSONDecodeError as error:
        return None, (fault("E003", f"is not JSON: {_words(error)}", error.pos, error.pos + 1),)
    if too_deep(value):
        return None, (deep,)
    if _SURROGATE_ESCAPE.search(text):
        suspicious.append("E008")
    faults = tuple(_token_faults(text, fault)) if suspicious else ()
    return (None, faults) if faults else (Document(name, text, value), ())


def too_deep(value: Json) -> bool:
    """Is a value nested beyond MAX_DEPTH? Found out without recursion."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for each in level
            if isinstance(each, (list, dict))
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def pointer_text(pointer: Pointer) -> str:
    """RFC 6901: `/properties/width~1height`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in pointer)


def place_at(text: str, start: int, end: int) -> Place:
    """The place of a stretch of text; one that runs over several lines is cut at the first line's end."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : len(text) if last < 0 else last].rstrip("\r")
    return Place(
        line=text.count("\n", 0, start) + 1,
        column=start - first + 1,
        width=max(1, min(end, first + len(line)) - start),
        text=line,
    )


def display(path: Path) -> str:
    """A path as messages show it: from the working directory when it lies below, with forward slashes."""
    try:
        # A link is named by its own name, not by where it leads.
        return (path.parent.resolve() / path.name).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def _token_faults(text: str, fault: _Fault) -> Iterator[Diagnostic]:
    seen: set[Pointer] = set()
    for pointer, part, start, end in _scan(text):
        literal = text[start:end]
        if part == "key":
            if pointer in seen:
                cure = "Keep one of the two; which of them counts is not defined by JSON."
                yield fault("E005", f"the key {quote(str(pointer[-1]))} stands twice in one object", start, end, cure)
                # What stands in the second value is not compared with what stands in the first.
                seen = {each for each in seen if each[: len(pointer)] != pointer}
            seen.add(pointer)
        if literal.startswith('"'):
            try:
                json.loads(literal).encode("utf-8")
            except UnicodeEncodeError:
                yield fault("E008", "holds half of a surrogate pair, which is no character", start, end)
        elif literal in ("NaN", "Infinity", "-Infinity"):
            yield fault("E004", f"{literal} is no JSON number", start, end)
        elif literal[:1] in "-0123456789" and math.isinf(float(literal)):
            yield fault("E007", "is a number too large for a double", start, end)


def _words(error: json.JSONDecodeError) -> str:
    text = error.msg.removesuffix(" at")
    return text[:1].lower() + text[1:]


def _scan(text: str) -> Iterator[tuple[Pointer, Part, int, int]]:
    """Each key and each value with its stretch of text; a container when it ends. The text is valid JSON."""
    open_containers: list[tuple[Pointer, int, bool]] = []
    path: list[str | int] = []
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        first = text[start]
        pointer, _, in_object = open_containers[-1] if open_containers else ((), 0, False)
        if first in "]}":
            pointer, began, _ = open_containers.pop()
            path = list(pointer)
            yield pointer, "value", began, end
        elif first == ",":
            last = path.pop()
            if isinstance(last, int):
                path.append(last + 1)
        elif first == ":":
            continue
        elif in_object and len(path) == len(pointer):
            path.append(json.loads(token.group()))
            yield tuple(path), "key", start, end
        elif first in "[{":
            open_containers.append((tuple(path), start, first == "{"))
            if first == "[":
                path.append(0)
        else:
            yield tuple(path), "value", start, end
