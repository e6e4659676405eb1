"""Reports for people: as `str(report)` puts it, under the file's name; in colour on a terminal that wants colour."""

from __future__ import annotations

import os
import sys

from ..validation.text import printable
from .faults import INVALID_INPUT, NO_FILE, OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .validate import Checked


def tell_text(found: Iterable[Checked]) -> int:
    """Print each report as soon as it is there, a sum below several, and give the exit code."""
    write = _writer()
    good = bad = missing = 0
    for one in found:
        if one.report is None:
            missing += 1
            write("bad", f"{printable(one.name)}: {one.fault}")
            continue
        good, bad = (good + 1, bad) if one.ok else (good, bad + 1)
        # str(report) starts with the model's id; here the files are many and the model is one.
        summary, *rows = str(one.report).removeprefix(one.report.model_id).split("\n")
        write("good" if one.ok else "bad", f"{printable(one.name)}{summary}")
        for row in rows:
            write("", row)
    if good + bad + missing > 1:
        parts = [f"{good} ok", f"{bad} with problems"] + ([f"{missing} not read"] if missing else [])
        write("", f"{good + bad + missing} payloads: {', '.join(parts)}")
    return NO_FILE if missing else INVALID_INPUT if bad else OK


def _plain(style: str, line: str) -> None:
    print(line)


class _Coloured:
    STYLES = {"good": "green", "bad": "bold red", "": ""}  # noqa: RUF012  # read only

    def __init__(self) -> None:
        from .output import console

        self._console = console()

    def __call__(self, style: str, line: str) -> None:
        from .output import fitted

        text = fitted(line, self._console.width) if sys.stdout.isatty() else line
        self._console.print(text, style=self.STYLES[style] or None, markup=False, soft_wrap=True)


def _writer() -> Callable[[str, str], None]:
    if not sys.stdout.isatty() and not os.environ.get("FORCE_COLOR"):  # output.coloured, which is not loaded for it
        return _plain
    try:
        return _Coloured()
    except ModuleNotFoundError:  # the base install has no rich
        return _plain
