"""The reports of `validate`: text for people, JSON for scripts, JUnit for CI dashboards, annotations for GitHub."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ..schema.findings import printable
from .exit_codes import INVALID_INPUT, NO_FILE, OK
from .locate import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..schema import Finding, Report


class Checked:
    """One payload and what was found: ``source`` is the file as named, ``line`` its line in a file of many payloads.

    ``report`` is None if there was nothing to read; ``fault`` then says why.
    """

    __slots__ = ("fault", "line", "report", "source", "text")

    def __init__(self, source: str, line: int | None, text: bytes, report: Report | None, fault: str = "") -> None:
        self.source = source
        self.line = line
        self.text = text
        self.report = report
        self.fault = fault

    @property
    def name(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"

    @property
    def ok(self) -> bool:
        return self.report is not None and self.report.ok


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


_LEVELS = (("errors", "error"), ("warnings", "warning"), ("unchecked", "notice"))


def as_json(model_id: str, found: Sequence[Checked]) -> str:
    """One document: the model, whether all is well, and a report for each payload with the places of its findings."""
    facts = {
        "ok": all(one.ok for one in found),
        "model_id": model_id,
        "payloads": [_payload_facts(one) for one in found],
    }
    return json.dumps(facts, indent=2, ensure_ascii=False)


def as_junit(model_id: str, found: Sequence[Checked]) -> str:
    """A test case for each payload; what is unchecked goes to its output, since it is no failure."""
    suite = ElementTree.Element(
        "testsuite",
        name=f"runcomfy-client validate {model_id}",
        tests=str(len(found)),
        failures=str(sum(one.report is not None and not one.ok for one in found)),
        errors=str(sum(one.report is None for one in found)),
    )
    for one in found:
        case = ElementTree.SubElement(suite, "testcase", classname=model_id, name=printable(one.name))
        if one.report is None:
            ElementTree.SubElement(case, "error", message=f"{printable(one.name)} {one.fault}")
            continue
        if not one.ok:
            first = printable(str(one.report.errors[0]))
            more = f" (and {len(one.report.errors) - 1} more)" if len(one.report.errors) > 1 else ""
            failure = ElementTree.SubElement(case, "failure", message=first + more, type=one.report.errors[0].code)
            failure.text = "\n".join([_line_of(one, finding) for finding in one.report.errors])
        rest = [*one.report.warnings, *one.report.unchecked]
        if rest:
            ElementTree.SubElement(case, "system-out").text = "\n".join(
                [f"{finding.severity}: {printable(str(finding))}" for finding in rest]
            )
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def as_github(model_id: str, found: Sequence[Checked]) -> str:
    """A workflow command for each finding; GitHub shows it at its line of the changed file."""
    lines = []
    for one in found:
        if one.report is None:
            lines.append(_command("error", {"file": one.source, "title": "no_file"}, f"{one.source} {one.fault}"))
            continue
        for attribute, level in _LEVELS:
            for finding in getattr(one.report, attribute):
                line, column = _place(one, finding)
                where = {
                    "file": one.source,
                    "line": str(line),
                    "col": str(column),
                    "title": f"{model_id}: {finding.code}",
                }
                lines.append(_command(level, where, printable(str(finding))))
    bad = sum(not one.ok for one in found)
    return "\n".join([*lines, f"{len(found)} checked against {model_id}, {bad} with problems"])


FORMS: dict[str, Callable[[str, Sequence[Checked]], str]] = {
    "json": as_json,
    "junit": as_junit,
    "github": as_github,
}


def _payload_facts(one: Checked) -> dict[str, object]:
    facts: dict[str, object] = {"source": one.source, "line": one.line, "ok": one.ok}
    if one.report is None:
        return {**facts, "fault": one.fault}
    for attribute, _ in _LEVELS:
        facts[attribute] = [_finding_facts(one, finding) for finding in getattr(one.report, attribute)]
    return facts


def _finding_facts(one: Checked, finding: Finding) -> dict[str, object]:
    line, column = _place(one, finding)
    return {**finding.to_dict(), "line": line, "column": column}


def _line_of(one: Checked, finding: Finding) -> str:
    line, column = _place(one, finding)
    return f"{printable(one.source)}:{line}:{column}: [{finding.code}] {printable(str(finding))}"


def _place(one: Checked, finding: Finding) -> tuple[int, int]:
    line, column = place_of(one.text, finding.path)
    return (line, column) if one.line is None else (one.line, column)


def _command(level: str, where: dict[str, str], message: str) -> str:
    # The escapes of GitHub's own toolkit: a message or a file name cannot start a command of its own.
    def escaped(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    properties = ",".join(
        [f"{key}={escaped(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in where.items()]
    )
    return f"::{level} {properties}::{escaped(message)}"
