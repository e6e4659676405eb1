"""The inner nodes of a check: lists, objects and alternatives; nothing found in one place hides what is in another."""

from __future__ import annotations

from .nodes import MAX_NUMBER, Node, Null, not_finite, same, text_faults
from .report import Problem, Unchecked, raised
from .suggest import Speller
from .words import amount, choices, shown, type_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..models import InputModel
    from .report import Tree
    from .rules import Rule

__all__ = ["MISSING", "AllOf", "AnyOf", "AnyValue", "Array", "Object", "OneOf", "Property"]

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
    """

    __slots__ = ("default", "name", "node", "sample")

    def __init__(
        self, node: Node, *, name: str | None = None, default: object = MISSING, sample: object = MISSING
    ) -> None:
        self.node = node
        self.name = name
        self.default = default
        self.sample = sample

    def __repr__(self) -> str:
        extras = [f", {key}={value!r}" for key, value in (("name", self.name),) if value is not None]
        given = (("default", self.default), ("sample", self.sample))
        extras += [f", {key}={value!r}" for key, value in given if value is not MISSING]
        return f"Property({self.node!r}{''.join(extras)})"


class AnyValue(Node):
    """Any JSON value: only what JSON cannot carry is a fault."""

    __slots__ = ()

    def judge(self, value: object) -> Tree | None:
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
        self._blind: Tree = [
            (
                Unchecked("media_rule", f"{rule} was not checked: the items are no media", rule=rule)
                if rule.known
                else rule.unknown()
            )
            for rule in (rules if with_rules is None else ())
        ]
        self._low = 0 if min_items is None else min_items
        self._high: float = float("inf") if max_items is None else max_items

    def judge(self, value: object) -> Tree | None:
        if type(value) is not list and not isinstance(value, (list, tuple)):
            return [type_problem(self.expected, value)]
        found: Tree | None = None
        judge = self._judge
        for index, item in enumerate(value):
            part = judge(item)
            if part is not None:
                if found is None:
                    found = []
                found.append((index, part))
        if self._low <= len(value) <= self._high and not self.unique_items and not self._blind:
            return found
        return [*self._whole(value), *(found or ())] or None

    def _whole(self, value: list[object] | tuple[object, ...]) -> Tree:
        """What there is to say about the list itself."""
        found: Tree = [*self._blind]
        if not self._low <= len(value) <= self._high:
            found.append(Problem("items", f"must hold {self.counts()}, got {len(value)}", shown(value)))
        if self.unique_items:
            for index, item in enumerate(value):
                first = next((i for i in range(index) if same(value[i], item)), None)
                if first is not None:
                    found.append((index, [Problem("unique", f"is the same as item {first}", shown(item))]))
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

    __slots__ = ("_judges", "_known", "_speller", "extra", "model", "model_id", "properties", "required")

    expected = "an object"

    def __init__(self, properties: dict[str, Property], *, required: tuple[str, ...] = (), extra: bool = False) -> None:
        self.properties = properties
        self.required = required
        self.extra = extra
        self.model: type[InputModel] | None = None
        self.model_id = ""
        self._known: tuple[object, ...] = tuple(properties)
        self._speller: Speller | None = None
        self._judges = {name: known.node.judge for name, known in properties.items()}

    def facts(self) -> dict[str, object]:
        facts: dict[str, object] = {"properties": self.properties}
        if self.required:
            facts["required"] = self.required
        return {**facts, "extra": True} if self.extra else facts

    def judge(self, value: object) -> Tree | None:
        if type(value) is not dict and not isinstance(value, dict):
            return [type_problem(self.expected, value)]
        found: Tree | None = None
        judges = self._judges
        for key, item in value.items():
            try:
                judge = judges[key]
            except KeyError:
                part = self._unknown(key, item, value)
            else:
                part = judge(item)
            if part is not None:
                if found is None:
                    found = []
                found.append((key if type(key) is str else str(key), part))
        for key in self.required:
            if key not in value:
                if found is None:
                    found = []
                found.append((key, [self._missing(key)]))
        return found

    def _unknown(self, key: object, item: object, given: dict[object, object]) -> Tree | None:
        if not isinstance(key, str):
            return [_no_key(key)]
        if self.extra:
            return _json_faults(item, MAX_DEPTH)
        near = None
        name = shown(key)
        for wire, known in self.properties.items():
            if known.name == key:
                message, near = f"unknown key {name}: on the wire it is called {shown(wire)}", wire
                break
        else:
            if self._speller is None:
                self._speller = Speller(self.properties)
            near = self._speller.nearest(key)
            if near is not None:
                message = (
                    f"unknown key {name}: did you mean {shown(near)}{', which is given too' if near in given else ''}?"
                )
            else:
                message = (
                    f"unknown key {name}; known are {choices(self._known)}" if self._known else f"unknown key {name}"
                )
        return [Problem("unknown_key", message, name, self._known, near)]

    def _missing(self, key: str) -> Problem:
        known = self.properties.get(key)
        return Problem(
            "required", f"{shown(key)} is required: {known.node.expected}" if known else f"{shown(key)} is required"
        )


class _Alternatives(Node):
    """What OneOf and AnyOf share: how to tell people that nothing fits."""

    __slots__ = ("nodes",)

    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes

    @property
    def expected(self) -> str:  # type: ignore[override]  # told by the alternatives here
        return " or ".join(dict.fromkeys([node.expected for node in self.nodes]))

    def _none_fits(self, value: object, parts: list[Tree | None]) -> Tree:
        # Where the type leaves only one alternative, its faults say more than "nothing fits".
        near = [part for part in parts if part is not None and not _other_type(part)]
        if len(near) == 1:
            return near[0]
        real = [
            part for node, part in zip(self.nodes, parts, strict=True) if part is not None and type(node) is not Null
        ]
        if value is not None and len(real) == 1:
            return real[0]
        return [Problem("any_of", f"expected {self.expected}, got {shown(value)}", shown(value))]


class AnyOf(_Alternatives):
    """A value that fits at least one of the alternatives."""

    __slots__ = ()

    def judge(self, value: object) -> Tree | None:
        parts: list[Tree | None] = []
        for node in self.nodes:
            part = node.judge(value)
            if part is None:
                return None
            parts.append(part)
        for part in parts:
            if part is not None and not raised(part):
                return part
        return self._none_fits(value, parts)


class OneOf(_Alternatives):
    """A value that fits exactly one of the alternatives."""

    __slots__ = ()

    def judge(self, value: object) -> Tree | None:
        parts = [node.judge(value) for node in self.nodes]
        fitting = [part for part in parts if part is None or not raised(part)]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            return self._none_fits(value, parts)
        message = f"fits {len(fitting)} of the alternatives ({self.expected}); exactly one must fit"
        return [Problem("one_of", message, shown(value))]


class AllOf(Node):
    """A value that fits every one of the nodes."""

    __slots__ = ("nodes",)

    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes

    @property
    def expected(self) -> str:  # type: ignore[override]  # told by the parts here
        return self.nodes[0].expected if self.nodes else "a value"

    def judge(self, value: object) -> Tree | None:
        found: Tree = []
        for node in self.nodes:
            found += node.judge(value) or ()
        return found or None


def _no_key(key: object) -> Problem:
    return Problem("unknown_key", f"keys must be strings, got {shown(key)}", shown(key))


def _other_type(part: Tree) -> bool:
    return any(not isinstance(entry, tuple) and entry.code == "type" for entry in part)


def _json_faults(value: object, depth: int) -> Tree | None:
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
    found: Tree = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        part = _json_faults(item, depth - 1)
        if isinstance(value, dict) and not isinstance(key, str):
            key, part = str(key), [_no_key(key)]
        if part is not None:
            found.append((key, part))
    return found or None
