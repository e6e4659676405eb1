"""Payload files: which files are meant, the payloads in each, and where in the file a part of a payload stands.

A file is JSON, JSON lines (a payload on each line) or YAML 1.2 (each document a payload). A payload may name its model
with `"$schema": ".../<model id>.json"`, which is never sent, or be an entry of a manifest: `{"model", "input"}`. What
is wrong with the text of a file is a finding like any other, with the line and column of the file.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from ..schema.containers import MISSING
from ..schema.json_payload import SCHEMA_KEY, EncodingFinding, SyntaxFinding, read_payload, without_schema_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..schema import Finding, Report

_LINES = (".jsonl", ".ndjson")
YAML_SUFFIXES = (".yaml", ".yml")
_MANIFEST_KEYS = frozenset({"model", "input", "key", "price"})


class Payload:
    """One payload of a file, and what was found about it.

    ``source`` is the file as named, ``line`` the line that the payload begins in, in a file of many, else None.
    ``model`` is the model that the file names for it, or None. ``report`` is the check's, or None until it was checked
    and where there was nothing to read; ``problem`` then says why.
    """

    __slots__ = ("_find", "_prefix", "findings", "line", "model", "problem", "report", "source", "value")

    def __init__(
        self,
        source: str,
        line: int | None = None,
        value: object = MISSING,
        findings: Sequence[Finding] = (),
        find: Callable[[list[str]], tuple[int, int]] | None = None,
        problem: str = "",
    ) -> None:
        self.source = source
        self.line = line
        self.value = value
        self.findings = findings
        self.problem = problem
        self.model: str | None = None
        self.report: Report | None = None
        self._find = find
        self._prefix: list[str] = []

    @property
    def name(self) -> str:
        """The payload in a list: its file, with the line where the file has many."""
        return self.source if self.line is None else f"{self.source}:{self.line}"

    @property
    def ok(self) -> bool:
        """Whether it was read and has no errors."""
        return self.report is not None and self.report.ok

    def place(self, finding: Finding) -> tuple[int, int]:
        """Line and column of what a finding is about, or of the nearest thing around it that is there."""
        if isinstance(finding, SyntaxFinding):
            return finding.line, finding.column
        keys = [key.replace("~1", "/").replace("~0", "~") for key in finding.path.split("/")[1:]]
        return self._find([*self._prefix, *keys]) if self._find else (self.line or 1, 1)

    def take_model(self) -> None:
        """Take the model that the payload names off the payload; a manifest's entry becomes its input."""
        value = self.value
        if not isinstance(value, dict):
            return
        if "model" in value and "input" in value and _MANIFEST_KEYS.issuperset(value):
            self.model = str(value["model"])
            self.value = value["input"]
            self._prefix = ["input"]
        elif isinstance(value.get(SCHEMA_KEY), str):
            self.model = value[SCHEMA_KEY]
            self.drop_schema()

    def drop_schema(self) -> None:
        """Leave out the key that editors read, which is no input."""
        self.value = without_schema_key(self.value)


def is_file_name(word: str) -> bool:
    """Whether a word of the command line can only be meant as a file."""
    import os

    named = word.lower().endswith((".json", *_LINES, *YAML_SUFFIXES)) or any(mark in word for mark in "*?[")
    return word == "-" or named or os.path.isfile(word)  # noqa: PTH113  # pathlib is not loaded for it


def read_files(words: Sequence[str], *, jsonl: bool) -> Iterator[Payload]:
    """The payloads of all files that ``words`` name, "-" for standard input; with ``jsonl`` every line is one."""
    for source in _expand_patterns(words):
        try:
            data = _read(source)
        except OSError as error:
            yield Payload(source, problem=f"cannot be read: {error.strerror or error}")
            continue
        except ValueError as error:  # a NUL in the name
            yield Payload(source, problem=f"cannot be read: {error}")
            continue
        name = "stdin" if source == "-" else source
        if jsonl or source.lower().endswith(_LINES):
            for number, line in enumerate(_as_utf8(data).split(b"\n"), start=1):
                if line.strip():
                    yield _json_payload(name, number, line)
        elif source.lower().endswith(YAML_SUFFIXES):
            yield from _yaml_payloads(name, data)
        else:
            yield _json_payload(name, None, data)


def _json_payload(source: str, line: int | None, data: bytes) -> Payload:
    value, findings = read_payload(data, first_line=line or 1)

    def find(keys: list[str]) -> tuple[int, int]:
        found_line, column = place_in_json(data, keys)
        return found_line + (line or 1) - 1, column

    return Payload(source, line, value, findings, find)


def _yaml_payloads(source: str, data: bytes) -> Iterator[Payload]:
    from .yaml_payload import place_in_yaml  # loads ruamel.yaml

    documents = read_yaml_bytes(data)
    for value, findings, node in documents:
        many = len(documents) > 1 and node is not None
        find = functools.partial(place_in_yaml, node) if node is not None else None
        yield Payload(source, node.start_mark.line + 1 if many else None, value, findings, find)


def read_yaml_bytes(data: bytes) -> list[tuple[object, list[Finding], Any]]:
    """As ``read_yaml``, for the bytes of a file; at least one document, which may be no more than a finding."""
    from .yaml_payload import read_yaml  # as above

    try:
        text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return [(MISSING, [EncodingFinding(error, language="YAML")], None)]
    return list(read_yaml(text))


def _as_utf8(data: bytes) -> bytes:
    """The text of a file of lines; in UTF-16, which Windows PowerShell writes, no line ends where its bytes say."""
    encoding = json.detect_encoding(data)
    if encoding.startswith("utf-8"):
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeDecodeError:
        return data


def _expand_patterns(words: Sequence[str]) -> Iterator[str]:
    """The files meant: a pattern the shell left as it is (Windows does, and quotes do) is looked up here."""
    for word in words:
        if any(mark in word for mark in "*?["):
            import glob
            import os

            if not os.path.exists(word):  # noqa: PTH110  # pathlib is not loaded for it
                yield from sorted(glob.glob(word, recursive=True)) or [word]  # noqa: PTH207  # as above
                continue
        yield word


def _read(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    with open(source, "rb") as file:  # noqa: PTH123  # as above
        return file.read()


# Where a value stands in JSON text. The parser of the standard library tells no places, and they are wanted only for
# what has a finding.

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,\]}]+', re.DOTALL)


def place_in_json(data: bytes, keys: list[str]) -> tuple[int, int]:
    """Line and column of the value at ``keys`` (of its key, in an object), or of the nearest parent that is there.

    (1, 1) if the text is no JSON.
    """
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        return 1, 1
    text = text.removeprefix("\ufeff")
    try:
        at = _find(text, keys)
    except (IndexError, ValueError):
        at = 0
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _find(text: str, keys: list[str]) -> int:
    """The offset of the deepest part of the path that the text holds."""
    at = _skip_space(text, 0)
    offset = at
    for key in keys:
        entry = _object_entry(text, at, key) if text[at] == "{" else _list_entry(text, at, key)
        if entry is None:
            break
        offset, at = entry
    return offset


def _object_entry(text: str, at: int, name: str) -> tuple[int, int] | None:
    """Where the key stands, and where its value does; the last one, which is the one that counts in Python."""
    entry = None
    at = _skip_space(text, at + 1)
    while text[at] == '"':
        key_at = at
        match = _scalar(text, at)
        at = _skip_space(text, match.end())
        if text[at] != ":":
            raise ValueError
        value_at = _skip_space(text, at + 1)
        if json.loads(match.group()) == name:
            entry = (key_at, value_at)
        at = _next(text, _end_of(text, value_at))
    return entry


def _list_entry(text: str, at: int, name: str) -> tuple[int, int] | None:
    if text[at] != "[" or not name.isdecimal():
        return None
    at = _skip_space(text, at + 1)
    for _ in range(int(name)):
        if text[at] == "]":
            return None
        at = _next(text, _end_of(text, at))
    return None if text[at] == "]" else (at, at)


def _next(text: str, at: int) -> int:
    at = _skip_space(text, at)
    return _skip_space(text, at + 1) if text[at] == "," else at


def _end_of(text: str, at: int) -> int:
    """The offset after the value that begins at ``at``; counts brackets, so that depth costs nothing."""
    depth = 0
    while True:
        character = text[at]
        if character in "{[":
            depth += 1
            at += 1
        elif character in "}]":
            depth -= 1
            at += 1
        elif character in ",: \t\r\n":
            at += 1
            continue
        else:
            at = _scalar(text, at).end()
        if depth == 0:
            return at


def _scalar(text: str, at: int) -> re.Match[str]:
    match = _SCALAR.match(text, at)
    if match is None:
        raise ValueError
    return match


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()
