"""What a check found: problems, warnings and what it could not check, each with its place, a stable code and a text."""

from __future__ import annotations

TYPE_CHECKING = False  # typing is not loaded for this: a process that only validates stays as light as Python itself
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rules import Rule

    Key = str | int

__all__ = ["Advice", "Deferred", "Finding", "Problem", "Report", "Unchecked", "Weight", "pointer", "raised"]


class Finding:
    """One thing the check has to say about one place of the payload.

    ``path`` is a JSON pointer with wire names ("" is the whole payload), ``code`` one of the stable codes listed in
    docs/validation.md, ``message`` a sentence for people. ``given`` is the value met, shortened; ``allowed`` the
    values that would have been right, where they can be listed; ``suggestion`` the nearest of them; ``rule`` the
    media rule it is about. Those that do not apply are None.
    """

    __slots__ = ("allowed", "code", "given", "keys", "message", "rule", "suggestion")

    severity = "error"

    def __init__(
        self,
        code: str,
        message: str,
        given: str | None = None,
        allowed: tuple[object, ...] | None = None,
        suggestion: object = None,
        rule: Rule | None = None,
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
        return f"{self.path or 'payload'}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, code={self.code!r}, message={self.message!r})"


class Problem(Finding):
    """An error: the server would refuse this payload, or it cannot be sent."""

    __slots__ = ()


class Advice(Finding):
    """A warning: nothing in the schema forbids this, but it may well fail."""

    __slots__ = ()
    severity = "warning"


class Unchecked(Finding):
    """A rule that cannot be judged here; the message gives the reason."""

    __slots__ = ()
    severity = "unchecked"


class Deferred(Unchecked):
    """What a media field says of every URL: the rules that wait for the file. A report tells them one by one."""

    __slots__ = ("rules",)

    # One of these is made for each URL of each payload, so what is the same for all of them is not stored in each.
    code = "media_rule"
    message = "the file is behind a URL and was not fetched"

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.keys = ()

    def told(self) -> list[Finding]:
        """A finding for each rule."""
        found: list[Finding] = [rule.deferred(self.message) for rule in self.rules]
        for finding in found:
            finding.keys = self.keys
        return found


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

    ``ok`` is true if there are no errors; what is unchecked is neither good nor bad.
    """

    # What was asked for before; without slots, a report that nobody asks costs no more than the two values it holds.
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
        return not self._found or not raised(self._found)

    @property
    def errors(self) -> tuple[Finding, ...]:
        if self._errors is None:
            told: list[Finding] = []
            for finding in self._found:  # a comprehension would be a call of its own
                if finding.severity == "error":
                    told.append(finding)
            self._errors = _sorted(told)
        return self._errors

    @property
    def warnings(self) -> tuple[Finding, ...]:
        if self._warnings is None:
            told = [finding for finding in self._found if finding.severity == "warning"]
            weights = [finding for finding in self._found if isinstance(finding, Weight)]
            if weights:
                from .media_judge import body_advice

                told += body_advice(weights)
            self._warnings = _sorted(told)
        return self._warnings

    @property
    def unchecked(self) -> tuple[Finding, ...]:
        if self._unchecked is None:
            told: list[Finding] = []
            for finding in self._found:
                if isinstance(finding, Deferred):
                    told += finding.told()
                elif finding.severity == "unchecked":
                    told.append(finding)
            self._unchecked = _sorted(told)
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
        from .text import report_text

        return report_text(self)

    def __repr__(self) -> str:
        counts = f"errors={len(self.errors)}, warnings={len(self.warnings)}, unchecked={len(self.unchecked)}"
        return f"<Report {self.model_id} ok={self.ok} {counts}>"

    def __reduce__(self) -> tuple[object, ...]:
        return Report, (self.model_id, self.errors, self.warnings, self.unchecked)


def pointer(keys: tuple[Key, ...]) -> str:
    """The JSON pointer (RFC 6901) of a place: "~" and "/" in a name are written "~0" and "~1"."""
    return "".join([f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in keys])


def raised(found: Sequence[Finding]) -> bool:
    """Whether there is an error in what a node found."""
    for finding in found:  # noqa: SIM110  # any() with a generator takes three times as long
        if finding.severity == "error":
            return True
    return False


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    if len(findings) > 1:
        findings.sort(key=_keys)
    return tuple(findings)


def _keys(finding: Finding) -> tuple[Key, ...]:
    # A place comes before what lies below it, keys by alphabet, items by number: that is how tuples compare.
    return finding.keys
