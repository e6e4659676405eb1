"""Where words go: results to stdout, all else to stderr; with --json stdout is one JSON document, errors included.

Job states, URLs, error texts and names of files come from elsewhere, and a terminal acts upon escape sequences. So
whatever the commands print passes one of these, and each escapes what is not printable: `write` and `write_row`
(stdout), `note` and `print_marked` (stderr), `emit_json`, and the consoles that `console` makes.
"""

from __future__ import annotations

import functools
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from ..schema.findings import printable, wrap
from .errors import debug_wanted, error_facts, exit_code, hint, json_wanted, message_of
from .package import program
from .text import json_text, printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TextIO

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from .errors import Hint


@functools.cache
def console(*, stderr: bool = False) -> Console:
    """The rich console of a stream; it knows about terminals, their width, colours and NO_COLOR.

    There is one for each stream, so that lines which are printed during a live display go above it.
    """
    from rich.console import Console
    from rich.segment import Segment

    class SafeConsole(Console):
        def on_broken_pipe(self) -> None:
            # rich would end the process by itself; who ends it, and with what code, is console.main's decision.
            raise BrokenPipeError

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                safe = segment.control or segment.text.isprintable()
                yield segment if safe else Segment(printable_lines(segment.text), segment.style)

    return SafeConsole(stderr=stderr, highlight=False)


def use_color(stream: TextIO) -> bool:
    """Whether colours may be wanted there; a console knows better, and this costs nothing.

    Colours go where FORCE_COLOR sends them, but pipes get plain lines: what is laid out for eyes cannot be cut.
    """
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def write(text: str) -> None:
    """Lines of a result."""
    print(printable_lines(text))


def write_row(cells: Iterable[str]) -> None:
    """A row for `cut` and `grep`: cells between tabs."""
    print("\t".join([printable(cell) for cell in cells]))


def emit_json(facts: Mapping[str, object], *, ok: bool = True) -> None:
    """The one document on stdout. ``ok`` comes first, so that every command's answer can be read alike."""
    print(json_text({"ok": ok, **facts}))


def note(text: str) -> None:
    """A line about what is going on, for people. If stderr cannot be written, a paid job continues without it."""
    with suppress(OSError):
        print(_fit(printable_lines(text), width_of(sys.stderr)), file=sys.stderr, flush=True)


def report_error(error: BaseException, argv: Sequence[str]) -> int:
    """Print what went wrong and what to do, and return the exit code."""
    advice = hint(error, argv, program())
    if debug_wanted(argv):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    else:
        # An interrupted wait has logged the outcome of its job already: that is not printed twice.
        if not (isinstance(error, KeyboardInterrupt) and getattr(error, "__notes__", None)):
            print_marked("error", "bold red", message_of(error, width_of(sys.stderr)))
        if advice is not None:
            print_marked("hint", "cyan", advice)
    if json_wanted(argv):
        emit_json({"error": error_facts(error) | ({"hint": str(advice)} if advice else {})}, ok=False)
    return exit_code(error)


def print_marked(mark: str, style: str, text: str | Hint) -> None:
    """A line that begins with its kind; on a terminal the kind stands out, if rich is there.

    Commands to type stand on lines of their own where the terminal is too narrow for all: wrapped, they could not be
    pasted.
    """
    width = width_of(sys.stderr)
    line = printable_lines(f"{mark}: {text}")
    if not isinstance(text, str) and text.commands and width is not None and len(line) > width:
        rows = [f"  {printable(command)}" for command in text.commands]
        line = "\n".join([_fit(printable_lines(f"{mark}: {text.words}:"), width), *rows])
    else:
        line = _fit(line, width)
    with suppress(OSError):
        if use_color(sys.stderr) and _print_styled(mark, style, line):
            return
        print(line, file=sys.stderr, flush=True)


def _print_styled(mark: str, style: str, line: str) -> bool:
    try:
        from rich.text import Text
    except ModuleNotFoundError:  # the base install has no rich
        return False
    text = Text(line)
    text.stylize(style, 0, len(mark) + 1)
    console(stderr=True).print(text, soft_wrap=True)
    return True


def _fit(text: str, width: int | None) -> str:
    """Every line wrapped to the terminal; indented lines stay indented."""
    if width is None:
        return text
    lines = [
        line if len(line) <= width else wrap(line, width, len(line) - len(line.lstrip(" ")) + 2)
        for line in text.split("\n")
    ]
    return "\n".join(lines)


def width_of(stream: TextIO) -> int | None:
    """The columns of the terminal that the stream goes to, or None if it goes elsewhere."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def line_writer() -> tuple[Callable[[str, str], None], int | None]:
    """What prints a line of a report in the style of its kind ("good", "bad" or ""), and the width to wrap to."""
    if use_color(sys.stdout):
        try:
            out = console()
        except ModuleNotFoundError:  # the base install has no rich
            pass
        else:
            styles = {"good": "green", "bad": "bold red"}

            def write_styled(kind: str, line: str) -> None:
                out.print(line, style=styles.get(kind), markup=False, soft_wrap=True)

            return write_styled, width_of(sys.stdout)
    return lambda kind, line: write(line), width_of(sys.stdout)
