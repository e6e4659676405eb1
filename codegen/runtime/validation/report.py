"""What a check found: problems, warnings and what it could not check, each with its place, a stable code and a text."""

from __future__ import annotations

TYPE_CHECKING = False  # typing is not loaded for this: a process that only validates stays as light as Python itself
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rules import Rule

    Key = str | int
    # What a node found: its own findings, and what lies below it with the key that leads there. None is "all good".
    Tree = list["Finding | tuple[Key, Tree]"]

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
        return pointer(self.keys)

    def placed(self, keys: tuple[Key, ...]) -> tuple[Finding, ...]:
        """What this says at the end of ``keys``. A node makes its finding for one value, so it is moved, not copied."""
        self.keys = keys + self.keys
        return (self,)

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
    """What a node says of every value it cannot look into: one for all of them, told rule by rule in a report."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Sequence[Rule], reason: str) -> None:
        super().__init__("media_rule", reason)
        self._rules = rules

    def placed(self, keys: tuple[Key, ...]) -> tuple[Finding, ...]:
        return tuple([finding for rule in self._rules for finding in rule.deferred(self.message).placed(keys)])


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

    __slots__ = ("_lists", "_tree", "model_id")

    def __init__(
        self,
        model_id: str,
        errors: Sequence[Finding] | Tree | None = None,
        warnings: Sequence[Finding] = (),
        unchecked: Sequence[Finding] = (),
    ) -> None:
        self.model_id = model_id
        # A node's tree is read when the report is: most reports are only asked whether all is well.
        self._tree = [*(errors or ()), *warnings, *unchecked] if warnings or unchecked else errors
        self._lists: dict[str, tuple[Finding, ...]] = {}

    @property
    def ok(self) -> bool:
        return not self._tree or not raised(self._tree)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return self._lists["error"] if "error" in self._lists else self._list("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return self._lists["warning"] if "warning" in self._lists else self._list("warning")

    @property
    def unchecked(self) -> tuple[Finding, ...]:
        return self._lists["unchecked"] if "unchecked" in self._lists else self._list("unchecked")

    def _list(self, severity: str) -> tuple[Finding, ...]:
        heap: list[Finding] = []
        if self._tree:
            _collect(self._tree, (), severity, heap)
            if severity == "warning":
                heap += self._weighed(self._tree)
            if len(heap) > 1:
                heap.sort(key=_keys)
        self._lists[severity] = findings = tuple(heap)
        return findings

    @staticmethod
    def _weighed(tree: Sequence[Finding] | Tree) -> list[Finding]:
        weights: list[Finding] = []
        _collect(tree, (), "weight", weights)
        if not weights:
            return []
        from .media_judge import body_advice

        return body_advice([weight for weight in weights if isinstance(weight, Weight)])

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


def raised(tree: Sequence[Finding] | Tree) -> bool:
    """Whether there is an error in what a node found."""
    for entry in tree:
        if isinstance(entry, tuple):
            if raised(entry[1]):
                return True
        elif entry.severity == "error":
            return True
    return False


def _collect(tree: Sequence[Finding] | Tree, keys: tuple[Key, ...], severity: str, heap: list[Finding]) -> None:
    """Gather what a tree holds of one severity, each finding with the keys that lead to it."""
    for entry in tree:
        if isinstance(entry, tuple):
            _collect(entry[1], (*keys, entry[0]), severity, heap)
        elif entry.severity == severity:
            heap += entry.placed(keys)


def _keys(finding: Finding) -> tuple[Key, ...]:
    # A place comes before what lies below it, keys by alphabet, items by number: that is how tuples compare.
    return finding.keys
