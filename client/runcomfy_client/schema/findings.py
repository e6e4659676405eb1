"""What a check found: problems, warnings and what it could not check, each with its place, a stable code and a text.

A report for people: one line a finding, the path first; nothing of the payload reaches a terminal unescaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .messages import amount, megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .rules import MediaRule

Key: TypeAlias = "str | int"


# What RunComfy's own nodes send within one request; the server's own limit is not known.
_NODE_BODY_CAP = 64 * 1024 * 1024


class Finding:
    """One thing the check has to say about one place of the payload.

    ``path`` is a JSON pointer with wire names ("" is the whole payload), ``code`` one of the stable codes listed in
    docs/validation.md, ``message`` a sentence for people. ``given`` is the value met, shortened; ``allowed`` the
    values that would have been right, where they can be listed; ``suggestion`` the nearest of them; ``rule`` the
    media rule it is about. Those that do not apply are None.
    """

    __slots__ = ("allowed", "code", "given", "keys", "message", "rule", "suggestion")

    severity = "error"
    # What to do about it in Python, where the message alone does not say. The command line and agents have their own.
    cure = ""

    def __init__(
        self,
        code: str,
        message: str,
        given: str | None = None,
        allowed: tuple[object, ...] | None = None,
        suggestion: object = None,
        rule: MediaRule | None = None,
        keys: tuple[Key, ...] = (),
    ) -> None:
        self.code = code
        self.message = message
        self.given = given
        self.allowed = allowed
        self.suggestion = suggestion
        self.rule = rule
        self.keys = keys

    @property
    def path(self) -> str:
        keys = self.keys
        if len(keys) == 1 and type(key := keys[0]) is str and "~" not in key and "/" not in key:
            return "/" + key  # nearly every path is one name without either
        return pointer(keys)

    def to_dict(self) -> dict[str, object]:
        """The finding as JSON values; what does not apply is left out."""
        facts: dict[str, object] = {"path": self.path, "code": self.code, "message": self.message}
        if self.given is not None:
            facts["given"] = self.given
        if self.allowed is not None:
            facts["allowed"] = list(self.allowed)
        if self.suggestion is not None:
            facts["suggestion"] = self.suggestion
        if self.rule is not None:
            facts["rule"] = str(self.rule)
        return facts

    def __str__(self) -> str:
        return f"{self.path or 'payload'}: {with_cure(self)}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, code={self.code!r}, message={self.message!r})"


def with_cure(finding: Finding) -> str:
    """The message with what to do about it in Python."""
    return f"{finding.message}; {finding.cure}" if finding.cure else finding.message


class ErrorFinding(Finding):
    """An error: the server would refuse this payload, or it cannot be sent."""

    __slots__ = ()


class WarningFinding(Finding):
    """A warning: nothing in the schema forbids this, but it may well fail."""

    __slots__ = ()
    severity = "warning"


class UncheckedFinding(Finding):
    """A rule that cannot be checked here; the message gives the reason."""

    __slots__ = ()
    severity = "unchecked"


class Deferred(UncheckedFinding):
    """What a media field says of every URL: the rules that wait for the file. A report lists them one by one."""

    __slots__ = ("rules",)

    # One of these is made for each URL of each payload, so what is the same for all of them is not stored in each.
    code = "media_rule"
    message = "the file is behind a URL and was not fetched"

    def __init__(self, rules: Sequence[MediaRule]) -> None:
        self.rules = rules
        self.keys = ()

    def findings(self) -> list[Finding]:
        """A finding for each rule."""
        findings: list[Finding] = [unchecked_rule(rule, self.message) for rule in self.rules]
        for finding in findings:
            finding.keys = self.keys
        return findings


def unchecked_rule(rule: MediaRule, reason: str) -> UncheckedFinding:
    """The finding about a file that is not here to be measured."""
    if not rule.is_known:
        return unknown_rule(rule)
    return UncheckedFinding("media_rule", f"{rule} was not checked: {reason}", rule=rule)


def unknown_rule(rule: MediaRule) -> UncheckedFinding:
    """The finding about a rule that this client cannot read."""
    text = f' (its text: "{rule.message}")' if rule.message else ""
    return UncheckedFinding(
        "unknown_rule", f"the rule {rule} is not one this client knows, so it was not checked{text}", rule=rule
    )


class Weight(Finding):
    """How much a media file adds to the request: counted for the warning about the whole, never shown itself."""

    __slots__ = ("length", "size")
    severity = "weight"

    def __init__(self, length: int, size: int) -> None:
        super().__init__("weight", "")
        self.length = length
        self.size = size


class Report:
    """The answer to "may this payload be sent?": ``errors``, ``warnings`` and ``unchecked``, each ordered by path.

    ``ok`` is true if there are no errors; what is unchecked is neither good nor bad. ``bool(report)`` is ``ok``.
    """

    # Cached properties; without slots, a report that is never read costs no more than the two values it holds.
    _errors: tuple[Finding, ...] | None = None
    _warnings: tuple[Finding, ...] | None = None
    _unchecked: tuple[Finding, ...] | None = None

    def __init__(
        self,
        model_id: str,
        errors: Sequence[Finding] = (),
        warnings: Sequence[Finding] = (),
        unchecked: Sequence[Finding] = (),
    ) -> None:
        self.model_id = model_id
        # What a node found comes unsorted as ``errors``, and is sorted when asked for: most reports are only asked
        # whether all is well.
        self._found = [*errors, *warnings, *unchecked] if warnings or unchecked else errors

    @property
    def ok(self) -> bool:
        return not self._found or not has_errors(self._found)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def errors(self) -> tuple[Finding, ...]:
        if self._errors is None:
            findings: list[Finding] = []
            for finding in self._found:  # a comprehension would be a call of its own
                if finding.severity == "error":
                    findings.append(finding)
            self._errors = _sort(findings)
        return self._errors

    @property
    def warnings(self) -> tuple[Finding, ...]:
        if self._warnings is None:
            findings = [finding for finding in self._found if finding.severity == "warning"]
            weights = [finding for finding in self._found if isinstance(finding, Weight)]
            if weights:
                findings += _body_advice(weights)
            self._warnings = _sort(findings)
        return self._warnings

    @property
    def unchecked(self) -> tuple[Finding, ...]:
        if self._unchecked is None:
            findings: list[Finding] = []
            for finding in self._found:
                if isinstance(finding, Deferred):
                    findings += finding.findings()
                elif finding.severity == "unchecked":
                    findings.append(finding)
            self._unchecked = _sort(findings)
        return self._unchecked

    def to_dict(self) -> dict[str, object]:
        """The report as JSON values: ``model_id``, ``ok``, and the three lists."""
        return {
            "model_id": self.model_id,
            "ok": self.ok,
            "errors": [finding.to_dict() for finding in self.errors],
            "warnings": [finding.to_dict() for finding in self.warnings],
            "unchecked": [finding.to_dict() for finding in self.unchecked],
        }

    def __str__(self) -> str:

        return report_text(self)

    def __repr__(self) -> str:
        counts = f"errors={len(self.errors)}, warnings={len(self.warnings)}, unchecked={len(self.unchecked)}"
        return f"<Report {self.model_id} ok={self.ok} {counts}>"

    def __reduce__(self) -> tuple[object, ...]:
        return Report, (self.model_id, self.errors, self.warnings, self.unchecked)


def pointer(keys: tuple[Key, ...]) -> str:
    """The JSON pointer (RFC 6901) of a place: "~" and "/" in a name are written "~0" and "~1"."""
    return "".join([f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in keys])


def has_errors(findings: Sequence[Finding]) -> bool:
    """Whether there is an error in what a node found."""
    for finding in findings:  # noqa: SIM110  # any() with a generator takes three times as long
        if finding.severity == "error":
            return True
    return False


def _sort(findings: list[Finding]) -> tuple[Finding, ...]:
    if len(findings) > 1:
        findings.sort(key=_keys)
    return tuple(findings)


def _keys(finding: Finding) -> tuple[Key, ...]:
    # A place comes before what lies below it, keys by alphabet, items by number: that is how tuples compare.
    return finding.keys


# A list of a million wrong items must not become a message of a hundred megabytes.
_MOST_ROWS = 50
_WIDEST_PATH = 32
_LONGEST_PATH = 120


def report_text(report: Report) -> str:
    """The report as ``str(report)`` shows it."""
    return "\n".join([f"{printable(report.model_id)}: {report_summary(report)}", *report_lines(report, cures=True)])


def report_lines(
    report: Report, width: int | None = None, *, cures: bool = False, errors_only: bool = False
) -> Iterator[str]:
    """The findings, a row each; what is unchecked is one row a place.

    ``width`` is the terminal's, to wrap to, or None; ``cures`` adds the advice for Python.
    """
    yield from _rows([(error, with_cure(error) if cures else error.message) for error in report.errors], "  ", width)
    if report.warnings and not errors_only:
        yield "  warnings:"
        yield from _rows([(warning, warning.message) for warning in report.warnings], "    ", width)
    if report.unchecked and not errors_only:
        yield "  not checked:"
        yield from _rows(fold_unchecked(report), "    ", width)


def printable(text: str) -> str:
    """The text with everything escaped that a terminal would act upon."""
    return text if text.isprintable() else "".join([c if c.isprintable() else repr(c)[1:-1] for c in text])


def report_summary(report: Report) -> str:
    """Counts: "2 problems, 1 warning, 3 not checked"."""
    parts = [amount(len(report.errors), "problem") if report.errors else "ok"]
    if report.warnings:
        parts.append(amount(len(report.warnings), "warning"))
    if report.unchecked:
        parts.append(f"{len(report.unchecked)} not checked")
    return ", ".join(parts)


def wrap(text: str, width: int, indent: int = 0) -> str:
    """The text wrapped to ``width``, later lines indented; no word is cut, so that what is pasted is whole."""
    import textwrap  # terminals only

    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)


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


def fold_unchecked(report: Report) -> list[tuple[Finding, str]]:
    """The unchecked findings, those of one path and one reason in one."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in report.unchecked:
        reason = finding.message.removeprefix(f"{finding.rule} was not checked: ") if finding.rule else finding.message
        groups.setdefault((finding.path, finding.code, reason), []).append(finding)
    rows = []
    for (_, _, reason), findings in groups.items():
        rules = ", ".join([str(finding.rule) for finding in findings if finding.rule is not None])
        is_known = findings[0].code == "media_rule"
        rows.append((findings[0], f"{rules}: {reason}" if rules and is_known else reason))
    return rows


def _body_advice(weights: list[Weight]) -> list[Finding]:
    """The warning about a request that all media together make too large."""
    total = sum([weight.length for weight in weights])
    if total <= _NODE_BODY_CAP:
        return []
    files = " + ".join([megabytes(weight.size) for weight in weights[:8]]) + (" + ..." if len(weights) > 8 else "")
    return [
        WarningFinding(
            "body_size",
            f"the request is {megabytes(total)} as base64 ({amount(len(weights), 'file')}: {files}); RunComfy's own "
            f"nodes stop at {megabytes(_NODE_BODY_CAP)}, the server's limit is not known; https:// URLs have none",
        )
    ]
