"""What the check says of a form's input, as the page shows it, and the input's files in their places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runcomfy_client.describe.snippets import LocalFile
from runcomfy_client.media.kinds import mime_of
from runcomfy_client.packages import validate_spec
from runcomfy_client.schema import map_media
from runcomfy_client.schema.findings import fold_unchecked, pointer, printable
from runcomfy_client.schema.messages import amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from runcomfy_client.schema import Finding, ModelSpec, Node, Report

    from .form import Reading
    from .storage import Storage

# Nobody reads more, and a page of a million lines would stop the browser.
MOST_LINES = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: the field it stands beside, the place in the payload, and the sentence."""

    field: str
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``report`` is the client's own; the lines also name texts of the form that stand for JSON and are none."""

    report: Report
    errors: tuple[Line, ...]
    warnings: tuple[Line, ...]
    unchecked: tuple[Line, ...]

    @property
    def ok(self) -> bool:
        return not self.errors

    @property
    def summary(self) -> str:
        if self.errors:
            return amount(len(self.errors), "problem")
        return "Ready, with warnings" if self.warnings else "Ready to run"

    def beside(self, field: str) -> list[tuple[str, str]]:
        """What stands beside a field: severity and sentence."""
        parts = (("error", self.errors), ("warning", self.warnings), ("unchecked", self.unchecked))
        return [(severity, line.message) for severity, lines in parts for line in lines if line.field == field]


def check_form(
    spec: ModelSpec, reading: Reading, storage: Storage, order: list[str], *, probe: bool = False
) -> Verdict:
    """Ask the client's check. ``order`` has the fields as they are shown: findings are listed in it.

    May read files, and with ``probe`` fetches the beginnings of media behind URLs: not for an event loop.
    """
    report = validate_spec(spec, with_files(spec.input, reading.payload, storage), probe)
    places = {name: index for index, name in enumerate(order)}

    def lines(findings: list[tuple[Finding, str]]) -> tuple[Line, ...]:
        rows = [
            Line(reading.field_of(finding.keys), printable(pointer(finding.keys)), text) for finding, text in findings
        ]
        rows.sort(key=lambda line: places.get(line.field, -1))
        if len(rows) > MOST_LINES:
            rows[MOST_LINES:] = [Line("f", "", f"... and {len(rows) - MOST_LINES} more")]
        return tuple(rows)

    errors = [(finding, finding.message) for finding in reading.findings]
    errors += [(finding, finding.message + _cure(finding)) for finding in report.errors]
    warnings = [(finding, finding.message) for finding in report.warnings]
    return Verdict(report, lines(errors), lines(warnings), lines(fold_unchecked(report)))


def _cure(finding: Finding) -> str:
    # The finding's own advice is for Python.
    return "; drop the file into the field to send it" if finding.cure else ""


def with_files(node: Node, payload: dict[str, object], storage: Storage) -> dict[str, object]:
    """The payload with the dropped files in the places of their names."""
    return _replace(node, payload, storage.file_of)


def with_sent_files(node: Node, payload: dict[str, object], storage: Storage) -> dict[str, object]:
    """The same for a job that is sent now: its files stay."""
    return _replace(node, payload, storage.sent_file_of)


def with_names(node: Node, payload: dict[str, object], storage: Storage) -> dict[str, object]:
    """The payload as a snippet shows it: a dropped file by the name it had."""

    def name_of(text: object) -> LocalFile | None:
        path = storage.file_of(text)
        return LocalFile(path.name, mime_of(path)) if path is not None else None

    return _replace(node, payload, name_of)


def _replace(
    node: Node, payload: dict[str, object], replacement: Callable[[object], object | None]
) -> dict[str, object]:
    """The payload with what stands at media fields replaced, where there is a replacement."""

    def change(value: object) -> object:
        other = replacement(value)
        return value if other is None else other

    changed = map_media(node, payload, change)
    assert isinstance(changed, dict)
    return changed
