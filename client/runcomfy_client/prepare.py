"""Prepare, check, report: the one way from what people pass to what the wire carries.

Methods, input classes, `submit`, `validate` and the command line all call `prepare_input`. Preparing turns Python
values into JSON values and reads local media, once; then the check of the model's spec looks at the payload as it would
be sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Number
from typing import TYPE_CHECKING

from .media.info import MediaInfo
from .media.sources import LocalMedia, UnusableMedia, is_local, load
from .schema import AllOf, AnyOf, AnyValue, Array, Enum, ErrorFinding, Integer, Media, ModelSpec, Object, OneOf, Report
from .schema.findings import has_errors
from .schema.nodes import MAX_NUMBER, json_equal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .schema import Finding, Node
    from .schema.findings import Key


class PreparedInput(dict[str, object]):
    """A payload as the wire carries it, with the ``report`` of its check. A submit takes one as it is, if it is ok."""

    def __init__(self, payload: dict[str, object], report: Report) -> None:
        super().__init__(payload)
        self.report = report


def prepare_input(
    spec: ModelSpec | Object | None,
    values: Mapping[str, object],
    *,
    name: str = "",
    findings: Iterable[Finding] = (),
    check: bool = True,
) -> PreparedInput:
    """Prepare an input for the wire, check it, and report everything that is wrong with it.

    Args:
        spec: the model, or the object of its input; None for a model that is not known here.
        values: the input under wire names.
        name: the model id in the report; by default the spec's own.
        findings: what was found before, such as a key that stands twice in a file; they join the report.
        check: whether to check; local media that cannot be read are in the report either way.
    """
    payload, errors = prepare(spec, values)
    if check and spec is not None:
        node = spec.input if isinstance(spec, ModelSpec) else spec
        errors += node.check(payload) or ()
    return PreparedInput(payload, Report(name or getattr(spec, "model_id", ""), [*findings, *errors]))


def prepare(spec: ModelSpec | Object | None, values: Mapping[str, object]) -> tuple[dict[str, object], list[Finding]]:
    """The payload that ``values`` (wire names) stand for, and the local media that could not be read.

    Sequences and arrays become lists, mappings and input classes dicts, a whole float an integer where the schema wants
    one, a number of numpy, a Decimal or a Fraction a plain number if that is the same, and a path, bytes, an open file
    or a PIL image at a media field a LocalMedia. All else stays as it is, None as null: checking it is the check's
    business. What is in the findings has not been read, so a payload with findings must not be sent; the check does not
    name them again.
    """
    node = spec.input if isinstance(spec, ModelSpec) else spec
    findings: list[Finding] = []
    return _object(node, values, (), findings), findings


def _value(node: Node | None, value: object, keys: tuple[Key, ...], findings: list[Finding]) -> object:
    if isinstance(node, (AnyOf, OneOf)):
        node = _fitting(node, value)
    elif isinstance(node, AllOf):
        node = _shaping_node(node)
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, (int, float)):
        return _number(node, value)
    if isinstance(value, Number) or hasattr(value, "dtype"):
        plain = _to_builtin(value) if not isinstance(node, Media) else value
        return value if plain is value else _value(node, plain, keys, findings)
    to_payload = getattr(value, "to_payload", None)
    if callable(to_payload):
        value = to_payload()
    if isinstance(value, Mapping):
        return _object(node, value, keys, findings)
    if (node is None or isinstance(node, (Media, AnyValue))) and is_local(value):
        return _medium(value, keys, findings)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        items = node.items if isinstance(node, Array) else None
        inner = AnyValue() if items is None and node is not None else items
        return [_value(inner, item, (*keys, index), findings) for index, item in enumerate(value)]
    return value


def _object(
    node: Node | None, value: Mapping[str, object], keys: tuple[Key, ...], findings: list[Finding]
) -> dict[str, object]:
    properties = node.properties if isinstance(node, Object) else {}
    return {
        key: _value(properties[key].node if key in properties else None, item, (*keys, key), findings)
        for key, item in value.items()
    }


def _to_builtin(value: object) -> object:
    """A number or an array of another library in Python's own types; the value itself if it would not be the same."""
    if hasattr(value, "dtype"):  # numpy's and those of its kin
        tolist = getattr(value, "tolist", None)
        return tolist() if callable(tolist) else value
    if isinstance(value, Integral):
        return int(value)
    try:
        number = float(value)  # type: ignore[arg-type]  # a complex number raises
        whole = int(number)  # infinities and NaN raise
        # 0.3 is written as it was; that the nearest double is not quite 0.3 concerns Python only.
        return whole if value == whole else number if type(value)(repr(number)) == value else value  # type: ignore[call-arg]
    except (TypeError, ValueError, ArithmeticError):
        return value


def _number(node: Node | None, value: float) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(node, Integer) and value == value and abs(value) <= MAX_NUMBER and value == int(value):
        return int(value)
    if isinstance(node, Enum):
        # The schema's own spelling: 5 for 5.0.
        return next((allowed for allowed in node.values if json_equal(allowed, value)), value)
    return value


def _medium(value: object, keys: tuple[Key, ...], findings: list[Finding]) -> LocalMedia:
    try:
        return load(value)
    except UnusableMedia as error:
        findings.append(ErrorFinding("media_source", str(error), keys=keys))
        return UNREAD


# Stands for media that could not be read, so that the check does not report it a second time.
UNREAD = LocalMedia(b"", MediaInfo(None, "application/octet-stream", 0), readable=False)


def _fitting(node: AnyOf | OneOf, value: object) -> Node | None:
    """The alternative that a value is meant for."""
    if is_local(value):
        return next((option for option in node.nodes if isinstance(option, Media)), None)
    plain = _value(None, value, (), [])
    for option in node.nodes:
        findings = option.check(plain)
        if findings is None or not has_errors(findings):
            return option
    return None


def _shaping_node(node: AllOf) -> Node | None:
    """The part of several that says what shape the value has."""
    shaped = (part for part in node.nodes if isinstance(part, (Array, Object, Media, Integer)))
    return next(shaped, None) or (node.nodes[0] if node.nodes else None)
