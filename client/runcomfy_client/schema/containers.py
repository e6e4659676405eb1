"""The nodes with nodes inside: lists, objects and alternatives. Nothing found in one place hides what is in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .findings import ErrorFinding, has_errors, unchecked_rule
from .media_field import Media
from .messages import amount, brief, choices
from .nodes import MAX_NUMBER, Node, Null, not_finite, text_errors, type_error
from .suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .findings import Finding
    from .rules import MediaRule

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

    ``name`` is the Python name where it differs from the wire name, ``title`` and ``description`` are the schema's own
    texts. ``default`` is what the server applies if the property is not given, ``sample`` the schema's default of a
    required property: an example, never sent unasked. ``rules`` are validations of a property that is no media: nothing
    here can measure them, so each is reported as not checked.
    """

    __slots__ = ("default", "description", "name", "node", "rules", "sample", "title")

    def __init__(
        self,
        node: Node,
        *,
        name: str | None = None,
        title: str = "",
        description: str = "",
        default: object = MISSING,
        sample: object = MISSING,
        rules: tuple[MediaRule, ...] = (),
    ) -> None:
        self.node = node
        self.name = name
        self.title = title
        self.description = description
        self.default = default
        self.sample = sample
        self.rules = rules

    def check(self, value: object) -> list[Finding] | None:
        findings = self.node.check(value)
        return [*(findings or ()), *(unchecked_rule(rule, "the property is not media") for rule in self.rules)] or None

    def arguments(self) -> dict[str, object]:
        """The arguments that make this property again, without those that say nothing."""
        texts = {"name": self.name, "title": self.title, "description": self.description, "rules": self.rules}
        attributes: dict[str, object] = {"node": self.node, **{name: value for name, value in texts.items() if value}}
        defaults = {"default": self.default, "sample": self.sample}
        return attributes | {name: value for name, value in defaults.items() if value is not MISSING}

    def __repr__(self) -> str:
        return f"Property({', '.join(f'{name}={value!r}' for name, value in self.arguments().items())})"


class AnyValue(Node):
    """Any JSON value: only what JSON cannot carry is an error."""

    __slots__ = ()

    def check(self, value: object) -> list[Finding] | None:
        return _json_errors(value, MAX_DEPTH)


class Array(Node):
    """A list. ``rules`` are media rules that hold for each of its items."""

    __slots__ = ("_blind", "_check", "_high", "_low", "items", "max_items", "min_items", "rules", "unique_items")

    expected = "a list"

    def __init__(
        self,
        items: Node | None = None,
        *,
        min_items: int | None = None,
        max_items: int | None = None,
        unique_items: bool = False,
        rules: tuple[MediaRule, ...] = (),
    ) -> None:
        self.items = items
        self.min_items = min_items
        self.max_items = max_items
        self.unique_items = unique_items
        self.rules = rules
        inner = AnyValue() if items is None else items
        with_rules = getattr(inner, "with_rules", None)
        self._check = (with_rules(rules) if with_rules is not None and rules else inner).check
        # Media rules on a list of something else: nothing here can measure them.
        self._blind = rules if with_rules is None else ()
        self._low = 0 if min_items is None else min_items
        self._high: float = float("inf") if max_items is None else max_items

    def check(self, value: object) -> list[Finding] | None:
        if type(value) is not list and not isinstance(value, (list, tuple)):
            return [type_error(self.expected, value)]
        findings: list[Finding] | None = None
        check = self._check
        for index, item in enumerate(value):
            part = check(item)
            if part is not None:
                for finding in part:
                    finding.keys = (index, *finding.keys)
                if findings is None:
                    findings = part
                else:
                    findings += part
        if self._low <= len(value) <= self._high and not self.unique_items and not self._blind:
            return findings
        return [*self._list_findings(value), *(findings or ())] or None

    def _list_findings(self, value: list[object] | tuple[object, ...]) -> list[Finding]:
        """What there is to say about the list itself."""
        findings: list[Finding] = [unchecked_rule(rule, "the items are not media") for rule in self._blind]
        if not self._low <= len(value) <= self._high:
            findings.append(ErrorFinding("items", f"must hold {self.counts()}, got {len(value)}", brief(value)))
        if self.unique_items:
            seen: dict[object, int] = {}
            for index, item in enumerate(value):
                first = seen.setdefault(_identity(item, MAX_DEPTH), index)
                if first != index:
                    findings.append(ErrorFinding("unique", f"is the same as item {first}", brief(item), keys=(index,)))
        return findings

    def counts(self) -> str:
        """The bounds in words: "from 1 to 10 items"."""
        low, high = self.min_items or 0, self.max_items
        if high is None:
            return f"at least {amount(low, 'item')}"
        if low == high:
            return f"exactly {amount(high, 'item')}"
        return f"from {low} to {amount(high, 'item')}" if low else f"at most {amount(high, 'item')}"


def _identity(value: object, depth: int) -> object:
    """A key that two values share if they are the same in JSON's sense: true is not 1, 1.0 is."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, (list, tuple)) and depth:
        return list, tuple([_identity(item, depth - 1) for item in value])
    if isinstance(value, dict) and depth:
        return dict, frozenset([(key, _identity(item, depth - 1)) for key, item in value.items()])
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


class Object(Node):
    """An object with named properties; unknown keys are refused unless ``extra``.

    ``description`` is the schema's own text. ``model`` is the class that stands for this object in Python, once one is
    bound to it; ``model_id`` the model whose input this is, once a ModelSpec says so.
    """

    __slots__ = (
        "_absent",
        "_checks",
        "_hint",
        "_known",
        "_names",
        "description",
        "extra",
        "model",
        "model_id",
        "properties",
        "required",
    )

    expected = "an object"

    def __init__(
        self,
        properties: dict[str, Property],
        *,
        required: tuple[str, ...] = (),
        extra: bool = False,
        description: str = "",
    ) -> None:
        self.properties = properties
        self.required = required
        self.extra = extra
        self.description = description
        self.model: type[Any] | None = None  # an InputModel, which is defined in a layer above
        self.model_id = ""
        self._names: dict[str | None, str] = {prop.name: wire for wire, prop in properties.items()}
        self._known = tuple(properties)
        self._hint: str | None = None
        self._absent: dict[str, str] = {}
        self._checks = {name: prop.check if prop.rules else prop.node.check for name, prop in properties.items()}

    def arguments(self) -> dict[str, object]:
        optional = {"required": self.required, "extra": self.extra, "description": self.description}
        return {"properties": self.properties} | {name: value for name, value in optional.items() if value}

    def check(self, value: object) -> list[Finding] | None:
        if type(value) is not dict and not isinstance(value, dict):
            return [type_error(self.expected, value)]
        findings: list[Finding] | None = None
        checks = self._checks
        for key, item in value.items():
            try:
                check = checks[key]
            except KeyError:
                part = self._check_unknown_key(key, item)
            else:
                part = check(item)
            if part is not None:
                place = (key if type(key) is str else str(key),)
                for finding in part:
                    finding.keys = place + finding.keys  # shorter to make than (key, *finding.keys)
                if findings is None:
                    findings = part
                else:
                    findings += part
        for key in self.required:
            if key not in value:
                findings = [*(findings or ()), self._missing(key)]
        return findings

    def _check_unknown_key(self, key: object, item: object) -> list[Finding] | None:
        """What there is to say of a key that is no property."""
        if not isinstance(key, str):
            return [_no_key(key)]
        if self.extra:
            return [*text_errors(key, None, None), *(_json_errors(item, MAX_DEPTH) or ())] or None
        return [self._unknown(key)]

    def _unknown(self, key: str) -> ErrorFinding:
        name, suggestion = brief(key), self._names.get(key)
        if suggestion is not None:
            message = f"unknown key {name}: on the wire it is called {brief(suggestion)}"
        elif (suggestion := nearest(key, self._known)) is not None:
            message = f"unknown key {name}: did you mean {brief(suggestion)}?"
        else:
            if self._hint is None:
                self._hint = f"; expected {choices(self._known)}" if self._known else ": no keys are known here"
            message = f"unknown key {name}{self._hint}"
        return ErrorFinding("unknown_key", message, name, self._known, suggestion)

    def _missing(self, key: str) -> ErrorFinding:
        message = self._absent.get(key)
        if message is None:
            prop = self.properties.get(key)
            expected = f": {prop.node.expected}" if prop else ""
            message = self._absent[key] = f"{brief(key)} is required{expected}"
        return ErrorFinding("required", message, keys=(key,))


def _no_key(key: object) -> ErrorFinding:
    return ErrorFinding("unknown_key", f"keys must be strings, got {brief(key)}", brief(key))


def _json_errors(value: object, depth: int) -> list[Finding] | None:
    """What JSON cannot carry, in a value of no particular shape."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return [*text_errors(value, None, None)] or None
    if isinstance(value, (int, float)):
        if -MAX_NUMBER <= value <= MAX_NUMBER:
            return None
        return [not_finite(value)]
    if not isinstance(value, (list, tuple, dict)):
        return [ErrorFinding("type", f"expected a JSON value, got {brief(value)}", brief(value))]
    if depth == 0:
        return [ErrorFinding("too_deep", f"is nested more than {MAX_DEPTH} levels deep", brief(value))]
    findings: list[Finding] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        part = _json_errors(item, depth - 1)
        if isinstance(key, str):
            part = [*text_errors(key, None, None), *(part or ())] or None
        elif isinstance(value, dict):
            key, part = str(key), [_no_key(key)]
        if part is not None:
            for finding in part:
                finding.keys = (key, *finding.keys)
            findings += part
    return findings or None


class _Alternatives(Node):
    """What OneOf and AnyOf share: the message that nothing fits."""

    __slots__ = ("nodes",)

    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes

    @property
    def expected(self) -> str:  # type: ignore[override]  # the alternatives say it here
        return " or ".join(dict.fromkeys([node.expected for node in self.nodes]))

    def _no_match(self, value: object, parts: list[list[Finding] | None]) -> list[Finding]:
        # Where the type leaves only one alternative, its errors say more than "nothing fits".
        near = [part for part in parts if part is not None and not _other_type(part)]
        if len(near) == 1:
            return near[0]
        real = [
            part for node, part in zip(self.nodes, parts, strict=True) if part is not None and type(node) is not Null
        ]
        if value is not None and len(real) == 1:
            return real[0]
        return [ErrorFinding("any_of", f"expected {self.expected}, got {brief(value)}", brief(value))]


class AnyOf(_Alternatives):
    """A value that fits at least one of the alternatives."""

    __slots__ = ()

    def check(self, value: object) -> list[Finding] | None:
        parts: list[list[Finding] | None] = []
        for node in self.nodes:
            part = node.check(value)
            if part is None:
                return None
            parts.append(part)
        for part in parts:
            if part is not None and not has_errors(part):
                return part
        return self._no_match(value, parts)


class OneOf(_Alternatives):
    """A value that fits exactly one of the alternatives."""

    __slots__ = ()

    def check(self, value: object) -> list[Finding] | None:
        parts = [node.check(value) for node in self.nodes]
        fitting = [part for part in parts if part is None or not has_errors(part)]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            return self._no_match(value, parts)
        message = f"fits {len(fitting)} of the alternatives ({self.expected}); exactly one must fit"
        return [ErrorFinding("one_of", message, brief(value))]


class AllOf(Node):
    """A value that fits every one of the nodes."""

    __slots__ = ("_media", "nodes")

    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes
        self._media = next((node for node in nodes if isinstance(node, Media)), None)

    @property
    def expected(self) -> str:  # type: ignore[override]  # the parts say it here
        return self.nodes[0].expected if self.nodes else "a value"

    def check(self, value: object) -> list[Finding] | None:
        if self._media is not None and not isinstance(value, str):
            # Local media become a string that no one wrote, so what holds for strings is not meant for them.
            return self._media.check(value)
        findings: list[Finding] = []
        for node in self.nodes:
            findings += node.check(value) or ()
        return findings or None


def _other_type(part: list[Finding]) -> bool:
    return any(finding.code == "type" and not finding.keys for finding in part)


def map_media(node: Node | None, value: object, change: Callable[[object], object]) -> object:
    """The payload with ``change`` applied to what stands at media fields; all else is as it was.

    Where alternatives are possible each is asked in turn: a value is changed if any of them would have it as media.
    """
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        for part in node.nodes:
            value = map_media(part, value, change)
        return value
    if isinstance(node, Media):
        return change(value)
    if isinstance(node, Array) and isinstance(value, (list, tuple)):
        return [map_media(node.items, item, change) for item in value]
    if isinstance(node, Object) and isinstance(value, Mapping):
        properties = node.properties
        return {
            key: map_media(properties[key].node, item, change) if key in properties else item
            for key, item in value.items()
        }
    return value
