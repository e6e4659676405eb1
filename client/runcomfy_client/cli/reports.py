"""The reports of `validate`: text for people, JSON for scripts, JUnit for CI dashboards, annotations for GitHub."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from ..schema.findings import fold_unchecked, printable
from ..schema.messages import amount
from .errors import INVALID_INPUT, NO_FILE, OK, finding_hint
from .text import json_text, report_lines, report_summary

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
    for one in itertools.chain(begin, rest):
        if one.report is None:
            missing += 1
            write("bad", f"{printable(one.name)}: {one.problem}")
            continue
        good, bad = (good + 1, bad) if one.ok else (good, bad + 1)
        unchecked += len(one.report.unchecked)
        if one.ok and (quiet or (brief and not one.report.warnings)):
            continue
        write("good" if one.ok else "bad", f"{printable(one.name)}: {report_summary(one.report)}")
        for line in report_lines(one.report, width, errors_only=brief and not one.ok):
            write("", line)
        hints = (finding_hint(finding, submits=False) for finding in one.report.errors)
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
            "ok": all(one.ok for one in payloads),
            "model_id": model_id,
            "payloads": [_payload_facts(one, mixed=model_id is None) for one in payloads if not (quiet and one.ok)],
        }
    )


def as_junit(model_id: str | None, payloads: Sequence[Payload], *, quiet: bool) -> str:
    """A test case for each payload; what is unchecked goes to its output, since it is no failure."""
    from xml.etree import ElementTree

    suite = ElementTree.Element(
        "testsuite",
        name="runcomfy-client validate" + (f" {model_id}" if model_id else ""),
        tests=str(len(payloads)),
        failures=str(sum(one.report is not None and not one.ok for one in payloads)),
        errors=str(sum(one.report is None for one in payloads)),
    )
    for one in payloads:
        case = ElementTree.SubElement(suite, "testcase", classname=_model_of(one, model_id), name=printable(one.name))
        if one.report is None:
            ElementTree.SubElement(case, "error", message=f"{printable(one.name)} {one.problem}")
            continue
        if not one.ok:
            first = printable(_sentence(one.report.errors[0]))
            more = f" (and {len(one.report.errors) - 1} more)" if len(one.report.errors) > 1 else ""
            failure = ElementTree.SubElement(case, "failure", message=first + more, type=one.report.errors[0].code)
            failure.text = "\n".join([_line_of(one, finding) for finding in one.report.errors])
        rest = (
            []
            if quiet
            else [(finding, finding.message) for finding in one.report.warnings] + fold_unchecked(one.report)
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
    for one in payloads:
        if one.report is None:
            lines.append(_command("error", {"file": one.source, "title": "no_file"}, f"{one.source} {one.problem}"))
            continue
        for attribute, level in _LEVELS[: 1 if quiet else None]:
            if attribute == "unchecked":
                findings = fold_unchecked(one.report)
            else:
                findings = [(finding, finding.message) for finding in getattr(one.report, attribute)]
            for finding, message in findings:
                line, column = one.place(finding)
                where = {
                    "file": one.source,
                    "line": str(line),
                    "col": str(column),
                    "title": f"{_model_of(one, model_id)}: {finding.code}",
                }
                lines.append(_command(level, where, printable(_sentence(finding, message))))
    bad = sum(not one.ok for one in payloads)
    if not quiet:
        lines.append(f"{len(payloads)} checked{f' against {model_id}' if model_id else ''}, {bad} with problems")
    return "\n".join(lines)


FORMATS: dict[str, Format] = {"json": as_json, "junit": as_junit, "github": as_github}


def _model_of(one: Payload, model_id: str | None) -> str:
    return model_id or (one.report.model_id if one.report is not None else "") or "no model"


def _payload_facts(one: Payload, *, mixed: bool) -> dict[str, object]:
    facts: dict[str, object] = {"source": one.source, "line": one.line}
    if mixed:  # each payload names its own model
        facts["model_id"] = (one.report.model_id or None) if one.report is not None else None
    facts["ok"] = one.ok
    if one.report is None:
        return {**facts, "fault": one.problem}
    for attribute, _ in _LEVELS:
        facts[attribute] = [_finding_facts(one, finding) for finding in getattr(one.report, attribute)]
    return facts


def _finding_facts(one: Payload, finding: Finding) -> dict[str, object]:
    line, column = one.place(finding)
    return {**finding.to_dict(), "line": line, "column": column}


def _sentence(finding: Finding, message: str | None = None) -> str:
    return f"{finding.path or 'payload'}: {finding.message if message is None else message}"


def _line_of(one: Payload, finding: Finding) -> str:
    line, column = one.place(finding)
    return f"{printable(one.source)}:{line}:{column}: [{finding.code}] {printable(_sentence(finding))}"


def _command(level: str, where: dict[str, str], message: str) -> str:
    # The escapes of GitHub's own toolkit: a message or a file name cannot start a command of its own.
    def escape(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    properties = ",".join(
        [f"{key}={escape(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in where.items()]
    )
    return f"::{level} {properties}::{escape(message)}"
