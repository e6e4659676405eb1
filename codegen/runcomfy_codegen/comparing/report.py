"""The difference between two packages in words: for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..diagnostics.diagnostic import visible
from ..rendering.markdown import code, table, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .python import MethodChange, ParameterChange, PythonDifference, Step

# A first pull adds hundreds.
_MAX_ADDED = 24
_STEPS: Final[Mapping[Step, str]] = {
    "major": "Version step: major. Calls that were right may be wrong now.",
    "minor": "Version step: minor. Calls that were right stay right.",
    "none": "Version step: none. No method and no parameter changed.",
}


def as_text(difference: PythonDifference) -> str:
    """A line a change, and the version step last."""
    return "".join(f"{line}\n" for line in _lines(difference))


def _lines(difference: PythonDifference) -> Iterator[str]:
    added = [method for method in difference.methods if method.status == "added"]
    for method in (*(method for method in difference.methods if method.status != "added"), *added[:_MAX_ADDED]):
        yield f"{method.status:8} {_call(method)}"
        for change in method.changes:
            kind = "breaking" if change.breaking else "compatible"
            yield f"  {kind}  {visible(_place(change))}{visible(change.text)}"
    if len(added) > _MAX_ADDED:
        yield f"added    ... and {len(added) - _MAX_ADDED} more"
    yield _STEPS[difference.step]


def as_markdown(difference: PythonDifference) -> str:
    """A summary for a pull request: the version step first, then what may break."""
    parts = ["## Python", _STEPS[difference.step]]
    rows = [
        (change.breaking, [code(f"client.{method.method}"), _cell(change), text(change.text), text(change.meaning)])
        for method in difference.methods
        for change in method.changes
    ]
    header = ["Method", "Parameter", "Change", "For callers"]
    for title, breaking in (("Breaking", True), ("Compatible", False)):
        if listed := [row for kind, row in rows if kind is breaking]:
            parts += [f"### {title}", table(header, listed)]
    for title, status in (("Gone", "gone"), ("Added", "added")):
        if named := [f"- {code(_call(method))}" for method in difference.methods if method.status == status]:
            parts += [f"### {title}", "\n".join(named)]
    return "\n\n".join(parts) + "\n"


def _call(method: MethodChange) -> str:
    return f"client.{method.method}" + (f"({method.signature})" if method.status == "added" else "")


def _place(change: ParameterChange) -> str:
    return f"{change.place}: " if change.place else ""


def _cell(change: ParameterChange) -> str:
    return code(change.place) if change.place else ""
