"""`validate`: every payload of every file is judged, every report told; light, because CI starts one process a file."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from .exit_codes import INVALID_INPUT, NO_FILE, OK, CommandError
from .package import package
from .validate_output import FORMS, Checked, tell_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..schema import ModelSpec, Report
    from .light import Asked

_LINES = (".jsonl", ".ndjson")


def validate_files(asked: Asked) -> int:
    """Judge, tell on stdout, give the exit code: a file that is missing weighs more than one that is wrong."""
    if asked.files.count("-") > 1:
        raise CommandError("standard input is named twice, but can be read only once")

    spec = package().known_spec(asked.model_id)
    found = _checked(spec, asked)
    if asked.form == "text":
        code = tell_text(found)
    else:
        everything = list(found)
        print(FORMS[asked.form](asked.model_id, everything))
        code = worst(everything)
    return code


def worst(found: list[Checked]) -> int:
    """The exit code of all of them."""
    if any(one.report is None for one in found):
        return NO_FILE
    return OK if all(one.ok for one in found) else INVALID_INPUT


def _checked(spec: ModelSpec, asked: Asked) -> Iterator[Checked]:
    for source in _expanded(asked.files):
        try:
            data = _read(source)
        except OSError as error:
            yield Checked(source, None, b"", None, f"cannot be read: {error.strerror or error}")
            continue
        except ValueError as error:  # a NUL in the name
            yield Checked(source, None, b"", None, f"cannot be read: {error}")
            continue
        name = "stdin" if source == "-" else source
        if asked.jsonl or source.lower().endswith(_LINES):
            for number, line in enumerate(_as_utf8(data).split(b"\n"), start=1):
                if line.strip():
                    yield Checked(name, number, line, _judge(spec, line, asked.probe))
        else:
            yield Checked(name, None, data, _judge(spec, data, asked.probe))


def _judge(spec: ModelSpec, data: bytes, probe: bool) -> Report:
    from ..packages import validate_spec

    return validate_spec(spec, data, probe)


def _as_utf8(data: bytes) -> bytes:
    """The text of a file of lines; in UTF-16, which Windows PowerShell writes, no line ends where its bytes say."""
    encoding = json.detect_encoding(data)
    if encoding.startswith("utf-8"):
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeDecodeError:
        return data


def _expanded(files: tuple[str, ...]) -> Iterator[str]:
    """The files meant: a pattern the shell left as it is (Windows does, and quotes do) is looked up here."""
    for word in files:
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
