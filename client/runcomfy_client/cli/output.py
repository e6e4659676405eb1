"""Where words go: results to stdout, all else to stderr; with --json stdout is one JSON document, errors included."""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from ..schema.findings import printable
from .exit_codes import debug_wanted, error_facts, exit_code, json_wanted, message_of, show_traceback
from .hints import hint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """A rich console on one of the streams; it knows about terminals, their width, colours and NO_COLOR."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            # rich would end the process by itself; who ends it, and with what code, is console.main's to say.
            raise BrokenPipeError

    return Quiet(stderr=stderr, highlight=False)


def coloured(stream: TextIO) -> bool:
    """Whether colours may be wanted there; a console knows better, and this costs nothing.

    Colours go where FORCE_COLOR sends them, but pipes get plain lines: what is laid out for eyes cannot be cut.
    """
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def emit_json(facts: Mapping[str, object], *, ok: bool = True) -> None:
    """The one document on stdout. ``ok`` comes first, so that every command's answer can be told alike."""
    print(json.dumps({"ok": ok, **facts}, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """A line about what is going on, for people. If stderr takes none, a paid job goes on without it."""
    with suppress(OSError):
        print(printable_lines(text), file=sys.stderr, flush=True)


def tell_error(error: BaseException, argv: list[str]) -> int:
    """Say what went wrong and what to do, and give the exit code."""
    code = exit_code(error)
    cure = hint(error, argv)
    if debug_wanted(argv):
        show_traceback(error)
    # The interrupted wait has logged what came of its job; twice would be once too often.
    elif not (isinstance(error, KeyboardInterrupt) and getattr(error, "__notes__", None)):
        _marked("error", "bold red", message_of(error))
        if cure is not None:
            _marked("hint", "cyan", cure)
    if json_wanted(argv):
        emit_json({"error": error_facts(error) | ({"hint": cure} if cure else {})}, ok=False)
    return code


def _marked(mark: str, style: str, text: str) -> None:
    """A line that begins with its kind; on a terminal the kind stands out, if rich is there."""
    if coloured(sys.stderr):
        try:
            from rich.text import Text
        except ModuleNotFoundError:
            pass
        else:
            out = console(stderr=True)
            told = printable_lines(text)
            told = fitted(told, out.width) if sys.stderr.isatty() else told
            out.print(Text.assemble((f"{mark}:", style), " ", told), soft_wrap=True)
            return
    note(f"{mark}: {text}")


def printable_lines(text: str) -> str:
    """The text line by line, with everything escaped that a terminal would act upon."""
    return "\n".join([printable(line) for line in text.split("\n")])


def fitted(text: str, width: int) -> str:
    """The text wrapped to a terminal; what does not fit of a report's row goes on under its message."""
    import re
    import textwrap

    lines = []
    for line in text.split("\n"):
        row = re.match(r"\s+\S+\s+\S+\s{2,}", line)
        indent = " " * (row.end() if row and row.end() <= width // 2 else 6 if row else 0)
        lines += textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return "\n".join(lines)


class _ToStderr(logging.Handler):
    """Looks stderr up at each record: a live display puts itself in its place to stay below such lines."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _marked(record.levelname.lower(), "yellow", record.getMessage())
        except Exception:  # noqa: BLE001  # as every handler: a message must not end the program
            self.handleError(record)


def log_to_stderr(*, debug: bool) -> None:
    """Show the client's warnings as lines on stderr, with --debug everything it logs."""
    logger = logging.getLogger("runcomfy")
    logger.handlers[:] = [_ToStderr()]
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    logger.propagate = False
