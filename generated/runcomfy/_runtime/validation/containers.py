"""The inner nodes of a check: lists and objects; nothing found in one place hides what is in another."""

from __future__ import annotations

from .enums import same
from .nodes import Node, text_faults
from .numbers import MAX_NUMBER, not_finite
from .report import Problem
from .suggest import Sayings, Speller
from .words import amount, choices, shown, type_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..models import InputModel
    from .report import Finding
    from .rules import Rule

__all__ = ["MAX_DEPTH", "MISSING", "AnyValue", "Array", "Object", "Property"]

# Deeper than any schema goes, far less than Python's stack.
MAX_DEPTH = 64


class _Missing:
    """The mark of "no default": None is a default some schemas have."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class Property:
    """One property of an object.

    ``name`` is the Python name where it differs from the wire name, ``default`` what the server applies if the
    property is not given, ``sample`` the schema's default of a required property: an example, never sent unasked.
    ``rules`` are validations of a property that is no media: nothing here can measure them, so they are told.
    """

    __slots__ = ("default", "name", "node", "rules", "sample")

    def __init__(
        self,
        node: Node,
        *,
        rules: tuple[Rule, ...] = (),
        name: str | None = None,
        default: object = MISSING,
        sample: object = MISSING,
    ) -> None:
        self.node = node
        self.rules = rules
        self.name = name
        self.default = default
        self.sample = sample

    def judge(self, value: object) -> list[Finding] | None:
        found = self.node.judge(value)
        return [*(found or ()), *(rule.deferred("the property is no media") for rule in self.rules)] or None

    def __repr__(self) -> str:
        said = (("rules", self.rules or None), ("name", self.name))
        extras = [f", {key}={value!r}" for key, value in said if value is not None]
        given = (("default", self.default), ("sample", self.sample))
        extras += [f", {key}={value!r}" for key, value in given if value is not MISSING]
        return f"Property({self.node!r}{''.join(extras)})"


class AnyValue(Node):
    """Any JSON value: only what JSON cannot carry is a fault."""

    __slots__ = ()

    def judge(self, value: object) -> list[Finding] | None:
        return _json_faults(value, MAX_DEPTH)


class Array(Node):
    """A list. ``rules`` are media rules that hold for each of its items."""

    __slots__ = ("_blind", "_high", "_judge", "_low", "items", "max_items", "min_items", "rules", "unique_items")

    expected = "a list"

    def __init__(
        self,
        items: Node | None = None,
        *,
        min_items: int | None = None,
        max_items: int | None = None,
        unique_items: bool = False,
        rules: tuple[Rule, ...] = (),
    ) -> None:
        self.items = items
        self.min_items = min_items
        self.max_items = max_items
        self.unique_items = unique_items
        self.rules = rules
        judged = AnyValue() if items is None else items
        with_rules = getattr(judged, "with_rules", None)
        self._judge = (with_rules(rules) if with_rules is not None and rules else judged).judge
        # Media rules on a list of something else: nothing here can measure them.
        self._blind = rules if with_rules is None else ()
        self._low = 0 if min_items is None else min_items
        self._high: float = float("inf") if max_items is None else max_items

    def judge(self, value: object) -> list[Finding] | None:
        if type(value) is not list and not isinstance(value, (list, tuple)):
            return [type_problem(self.expected, value)]
        found: list[Finding] | None = None
        judge = self._judge
        for index, item in enumerate(value):
            part = judge(item)
            if part is not None:
                for finding in part:
                    finding.keys = (index, *finding.keys)
                if found is None:
                    found = part
                else:
                    found += part
        if self._low <= len(value) <= self._high and not self.unique_items and not self._blind:
            return found
        return [*self._whole(value), *(found or ())] or None

    def _whole(self, value: list[object] | tuple[object, ...]) -> list[Finding]:
        """What there is to say about the list itself."""
        found: list[Finding] = [rule.deferred("the items are no media") for rule in self._blind]
        if not self._low <= len(value) <= self._high:
            found.append(Problem("items", f"must hold {self.counts()}, got {len(value)}", shown(value)))
        if self.unique_items:
            for index, item in enumerate(value):
                first = next((i for i in range(index) if same(value[i], item)), None)
                if first is not None:
                    found.append(Problem("unique", f"is the same as item {first}", shown(item), keys=(index,)))
        return found

    def counts(self) -> str:
        """The bounds in words: "from 1 to 10 items"."""
        if self.min_items is not None and self.max_items is not None:
            if self.min_items == self.max_items:
                return f"exactly {amount(self.min_items, 'item')}"
            return f"from {self.min_items} to {amount(self.max_items, 'item')}"
        if self.max_items is not None:
            return f"at most {amount(self.max_items, 'item')}"
        return f"at least {amount(self.min_items or 0, 'item')}"


class Object(Node):
    """An object with named properties; unknown keys are refused unless ``extra``.

    ``model`` is the class that stands for this object in Python, once one is bound to it; ``model_id`` the model whose
    input this is, once a ModelSpec says so.
    """

    __slots__ = (
        "_absent",
        "_hint",
        "_judges",
        "_known",
        "_names",
        "_sayings",
        "_speller",
        "extra",
        "model",
        "model_id",
        "properties",
        "required",
    )

    expected = "an object"

    def __init__(self, properties: dict[str, Property], *, required: tuple[str, ...] = (), extra: bool = False) -> None:
        self.properties = properties
        self.required = required
        self.extra = extra
        self.model: type[InputModel] | None = None
        self.model_id = ""
        self._names: dict[str | None, str] = {known.name: wire for wire, known in properties.items()}
        self._speller: Speller | None = None
        self._sayings = Sayings(self._unknown)
        self._known = tuple(properties)
        self._hint: str | None = None
        self._absent: dict[str, str] = {}
        self._judges = {name: known.judge if known.rules else known.node.judge for name, known in properties.items()}

    def facts(self) -> dict[str, object]:
        facts: dict[str, object] = {"properties": self.properties}
        if self.required:
            facts["required"] = self.required
        return {**facts, "extra": True} if self.extra else facts

    def judge(self, value: object) -> list[Finding] | None:
        if type(value) is not dict and not isinstance(value, dict):
            return [type_problem(self.expected, value)]
        found: list[Finding] | None = None
        judges = self._judges
        for key, item in value.items():
            try:
                judge = judges[key]
            except KeyError:
                part = self._stray(key, item)
            else:
                part = judge(item)
            if part is not None:
                place = (key if type(key) is str else str(key),)
                for finding in part:
                    finding.keys = place + finding.keys  # shorter to make than (key, *finding.keys)
                if found is None:
                    found = part
                else:
                    found += part
        for key in self.required:
            if key not in value:
                found = [*(found or ()), self._missing(key)]
        return found

    def _stray(self, key: object, item: object) -> list[Finding] | None:
        """What there is to say of a key that is no property."""
        if not isinstance(key, str):
            return [_no_key(key)]
        if self.extra:
            return [*text_faults(key, None, None), *(_json_faults(item, MAX_DEPTH) or ())] or None
        message, name, meant = self._sayings[key]
        return [Problem("unknown_key", message, name, self._known, meant)]

    def _unknown(self, key: str) -> tuple[str, str, str | None]:
        name = shown(key)
        wire = self._names.get(key)
        if wire is not None:
            return f"unknown key {name}: on the wire it is called {shown(wire)}", name, wire
        if self._speller is None:
            self._speller = Speller(self._known)
        near = self._speller.nearest(key)
        if near is not None:
            return f"unknown key {name}: did you mean {shown(near)}?", name, near
        if self._hint is None:
            self._hint = f"; expected {choices(self._known)}" if self._known else ": no keys are known here"
        return f"unknown key {name}{self._hint}", name, None

    def _missing(self, key: str) -> Problem:
        message = self._absent.get(key)
        if message is None:
            known = self.properties.get(key)
            expected = f": {known.node.expected}" if known else ""
            message = self._absent[key] = f"{shown(key)} is required{expected}"
        return Problem("required", message, keys=(key,))


def _no_key(key: object) -> Problem:
    return Problem("unknown_key", f"keys must be strings, got {shown(key)}", shown(key))


def _json_faults(value: object, depth: int) -> list[Finding] | None:
    """What JSON cannot carry, in a value of no particular shape."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return [*text_faults(value, None, None)] or None
    if isinstance(value, (int, float)):
        if -MAX_NUMBER <= value <= MAX_NUMBER:
            return None
        return [not_finite(value)]
    if not isinstance(value, (list, tuple, dict)):
        return [Problem("type", f"expected a JSON value, got {shown(value)}", shown(value))]
    if depth == 0:
        return [Problem("too_deep", f"is nested more than {MAX_DEPTH} levels deep", shown(value))]
    found: list[Finding] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        part = _json_faults(item, depth - 1)
        if isinstance(key, str):
            part = [*text_faults(key, None, None), *(part or ())] or None
        elif isinstance(value, dict):
            key, part = str(key), [_no_key(key)]
        if part is not None:
            for finding in part:
                finding.keys = (key, *finding.keys)
            found += part
    return found or None
