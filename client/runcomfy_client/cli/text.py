"""Text as it is printed: escaped, wrapped, as JSON, and the rows of a report. Nothing here writes anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..schema.findings import fold_unchecked, printable
from ..schema.messages import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..schema import Finding, Report

# As many findings of one payload and kind are shown.
_MOST_ROWS = 50
_WIDEST_PATH = 32
_LONGEST_PATH = 120


def printable_lines(text: str) -> str:
    """The text line by line, with everything escaped that a terminal would act upon."""
    return text if text.isprintable() else "\n".join([printable(line) for line in text.split("\n")])


def wrap(text: str, width: int, indent: int = 0) -> str:
    """The text wrapped to ``width``, later lines indented; no word is cut, so that what is pasted is whole."""
    import textwrap  # terminals only

    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)


def json_text(value: object) -> str:
    """A value as JSON that a terminal shows as it is: what is not printable is escaped, as JSON allows."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    return "".join([c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text])


def write_place(place: Sequence[str | int]) -> str:
    """A place in a payload as KEY=VALUE words name it: `keyframes[0].image_url`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def report_summary(report: Report) -> str:
    """Counts: "2 problems, 1 warning, 3 not checked"."""
    parts = [amount(len(report.errors), "problem") if report.errors else "ok"]
    if report.warnings:
        parts.append(amount(len(report.warnings), "warning"))
    if report.unchecked:
        parts.append(f"{len(report.unchecked)} not checked")
    return ", ".join(parts)


def report_lines(report: Report, width: int | None, *, errors_only: bool = False) -> Iterator[str]:
    """The findings in the command line's words, a row each; what is unchecked is one row a place.

    ``width`` is the terminal's, to wrap to, or None.
    """
    yield from _rows([(finding, finding.message) for finding in report.errors], "  ", width)
    if report.warnings and not errors_only:
        yield "  warnings:"
        yield from _rows([(finding, finding.message) for finding in report.warnings], "    ", width)
    if report.unchecked and not errors_only:
        yield "  not checked:"
        yield from _rows(fold_unchecked(report), "    ", width)


def _rows(findings: list[tuple[Finding, str]], indent: str, width: int | None) -> Iterator[str]:
    """Path, code and message in columns; on a terminal the message is wrapped below itself."""
    listed = findings[:_MOST_ROWS]
    paths = [_path(finding) for finding, _ in listed]
    first = min(max(map(len, paths), default=0), _WIDEST_PATH)
    second = max([12, *[len(finding.code) for finding, _ in listed]])
    for path, (finding, message) in zip(paths, listed, strict=True):
        head = f"{indent}{path:<{first}}  {finding.code:<{second}}  "
        line = f"{head}{printable(message)}"
        if width is None or len(line) <= width:
            yield line
        else:
            yield wrap(line, width, len(head) if len(head) <= width // 2 else len(indent) + 4)
    if len(findings) > _MOST_ROWS:
        yield f"{indent}... and {len(findings) - _MOST_ROWS} more"


def _path(finding: Finding) -> str:
    path = finding.path
    return printable(path if len(path) <= _LONGEST_PATH else path[:_LONGEST_PATH] + "...") or "(payload)"
