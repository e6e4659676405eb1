"""The reports of `validate`: text for people, JSON for scripts, JUnit for CI dashboards, annotations for GitHub."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from ..schema.findings import fold_unchecked, printable, report_lines, report_summary
from ..schema.messages import amount
from .errors import INVALID_INPUT, NO_FILE, OK, finding_hint
from .text import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..schema import Finding
    from .payload_files import Payload

# More payloads than this, and the good ones are only counted.
_MOST_LISTED = 10


class Format(Protocol):
    """A form of report for programs: the model of all payloads if the command line names one, and the payloads."""

    def __call__(self, model_id: str | None, payloads: Sequence[Payload], *, quiet: bool) -> str: ...


def print_text(
    payloads: Iterable[Payload], write: Callable[[str, str], None], width: int | None, *, quiet: bool
) -> int:
    """Print each report as soon as it is there, and a summary of several; return the exit code.

    Of many payloads the good ones are only counted. ``quiet`` prints problems only. ``write`` takes the kind of a line
    ("good", "bad" or "") and the line, ``width`` is the terminal's, or None.
    """
    rest = iter(payloads)
    begin = list(itertools.islice(rest, _MOST_LISTED + 1))
    brief = quiet or len(begin) > _MOST_LISTED
    good = bad = missing = unchecked = 0
    for payload in itertools.chain(begin, rest):
        if payload.report is None:
            missing += 1
            write("bad", f"{printable(payload.name)}: {payload.problem}")
            continue
        good, bad = (good + 1, bad) if payload.ok else (good, bad + 1)
        unchecked += len(payload.report.unchecked)
        if payload.ok and (quiet or (brief and not payload.report.warnings)):
            continue
        write("good" if payload.ok else "bad", f"{printable(payload.name)}: {report_summary(payload.report)}")
        for line in report_lines(payload.report, width, errors_only=brief and not payload.ok):
            write("", line)
        hints = (finding_hint(finding, submits=False) for finding in payload.report.errors)
        if hint := next(filter(None, hints), None):
            write("", f"  hint: {hint}")
    if good + bad + missing > 1 and not quiet:
        parts = [f"{good} ok"] if good else []
        parts += [f"{bad} with problems"] if bad else []
        parts += [f"{missing} not read"] if missing else []
        more = f"; {amount(unchecked, 'rule')} not checked" if brief and unchecked else ""
        write("", f"{good + bad + missing} payloads: {', '.join(parts)}{more}")
    return NO_FILE if missing else INVALID_INPUT if bad else OK


_LEVELS = (("errors", "error"), ("warnings", "warning"), ("unchecked", "notice"))


def as_json(model_id: str | None, payloads: Sequence[Payload], *, quiet: bool) -> str:
    """One document: the model, whether all is well, and a report for each payload with the places of its findings."""
    return json_text(
        {
            "ok": all(payload.ok for payload in payloads),
            "model_id": model_id,
            "payloads": [
                _payload_facts(payload, mixed=model_id is None) for payload in payloads if not (quiet and payload.ok)
            ],
        }
    )


def as_junit(model_id: str | None, payloads: Sequence[Payload], *, quiet: bool) -> str:
    """A test case for each payload; what is unchecked goes to its output, since it is no failure."""
    from xml.etree import ElementTree

    suite = ElementTree.Element(
        "testsuite",
        name="runcomfy-client validate" + (f" {model_id}" if model_id else ""),
        tests=str(len(payloads)),
        failures=str(sum(payload.report is not None and not payload.ok for payload in payloads)),
        errors=str(sum(payload.report is None for payload in payloads)),
    )
    for payload in payloads:
        case = ElementTree.SubElement(
            suite, "testcase", classname=_model_of(payload, model_id), name=printable(payload.name)
        )
        if payload.report is None:
            ElementTree.SubElement(case, "error", message=f"{printable(payload.name)} {payload.problem}")
            continue
        if not payload.ok:
            first = printable(_sentence(payload.report.errors[0]))
            more = f" (and {len(payload.report.errors) - 1} more)" if len(payload.report.errors) > 1 else ""
            failure = ElementTree.SubElement(case, "failure", message=first + more, type=payload.report.errors[0].code)
            failure.text = "\n".join([_line_of(payload, finding) for finding in payload.report.errors])
        rest = (
            []
            if quiet
            else [(finding, finding.message) for finding in payload.report.warnings] + fold_unchecked(payload.report)
        )
        if rest:
            ElementTree.SubElement(case, "system-out").text = "\n".join(
                [f"{finding.severity}: {printable(_sentence(finding, message))}" for finding, message in rest]
            )
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def as_github(model_id: str | None, payloads: Sequence[Payload], *, quiet: bool) -> str:
    """A workflow command for each finding, one for what is unchecked in a place; GitHub shows it at its line."""
    lines = []
    for payload in payloads:
        if payload.report is None:
            lines.append(
                _command("error", {"file": payload.source, "title": "no_file"}, f"{payload.source} {payload.problem}")
            )
            continue
        for attribute, level in _LEVELS[: 1 if quiet else None]:
            if attribute == "unchecked":
                findings = fold_unchecked(payload.report)
            else:
                findings = [(finding, finding.message) for finding in getattr(payload.report, attribute)]
            for finding, message in findings:
                line, column = payload.place(finding)
                where = {
                    "file": payload.source,
                    "line": str(line),
                    "col": str(column),
                    "title": f"{_model_of(payload, model_id)}: {finding.code}",
                }
                lines.append(_command(level, where, printable(_sentence(finding, message))))
    bad = sum(not payload.ok for payload in payloads)
    if not quiet:
        lines.append(f"{len(payloads)} checked{f' against {model_id}' if model_id else ''}, {bad} with problems")
    return "\n".join(lines)


FORMATS: dict[str, Format] = {"json": as_json, "junit": as_junit, "github": as_github}


def _model_of(payload: Payload, model_id: str | None) -> str:
    return model_id or (payload.report.model_id if payload.report is not None else "") or "no model"


def _payload_facts(payload: Payload, *, mixed: bool) -> dict[str, object]:
    facts: dict[str, object] = {"source": payload.source, "line": payload.line}
    if mixed:  # each payload names its own model
        facts["model_id"] = (payload.report.model_id or None) if payload.report is not None else None
    facts["ok"] = payload.ok
    if payload.report is None:
        return {**facts, "fault": payload.problem}
    for attribute, _ in _LEVELS:
        facts[attribute] = [_finding_facts(payload, finding) for finding in getattr(payload.report, attribute)]
    return facts


def _finding_facts(payload: Payload, finding: Finding) -> dict[str, object]:
    line, column = payload.place(finding)
    return {**finding.to_dict(), "line": line, "column": column}


def _sentence(finding: Finding, message: str | None = None) -> str:
    return f"{finding.path or 'payload'}: {finding.message if message is None else message}"


def _line_of(payload: Payload, finding: Finding) -> str:
    line, column = payload.place(finding)
    return f"{printable(payload.source)}:{line}:{column}: [{finding.code}] {printable(_sentence(finding))}"


def _command(level: str, where: dict[str, str], message: str) -> str:
    # The escapes of GitHub's own toolkit: a message or a file name cannot start a command of its own.
    def escape(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    properties = ",".join(
        [f"{key}={escape(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in where.items()]
    )
    return f"::{level} {properties}::{escape(message)}"
