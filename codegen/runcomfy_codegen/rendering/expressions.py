"""Nodes as the Python expressions of a spec module: each is the call that makes it again."""

from __future__ import annotations

import functools
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from runcomfy_client.schema import MediaRule, Node, Object, Property

from .literals import call, literal, string, tuple_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..naming.identifiers import ConstantName


class Expressions:
    """Writes nodes. An object inside another stands under its constant; `used` are the classes that were written."""

    def __init__(self, constants: Mapping[Object, ConstantName]) -> None:
        self._constants = constants
        self.used: set[str] = set()

    def write(self, made: Node | Property | MediaRule) -> str:
        """The call that makes a node again, from its own arguments."""
        self.used.add(type(made).__name__)
        arguments = made.arguments()
        positional: list[str] = []
        keywords: dict[str, str] = {}
        kind_of: type = type(made)
        for name, kind in _parameters(kind_of):
            if name not in arguments:
                continue
            value = arguments[name]
            if kind is Parameter.KEYWORD_ONLY:
                keywords[name] = self._value(value)
            elif kind is Parameter.VAR_POSITIONAL:
                assert isinstance(value, tuple)
                positional += map(self._value, value)
            else:
                positional.append(self._value(value))
        return call(type(made).__name__, *positional, **keywords)

    def _value(self, value: Any) -> str:
        if isinstance(value, Object) and value in self._constants:
            return self._constants[value]
        if isinstance(value, (Node, Property, MediaRule)):
            return self.write(value)
        if isinstance(value, tuple):
            return tuple_of(map(self._value, value))
        if isinstance(value, dict):
            return f"{{{', '.join(f'{string(name)}: {self._value(item)}' for name, item in value.items())}}}"
        return literal(value)


@functools.cache
def _parameters(class_: type) -> tuple[tuple[str, object], ...]:
    """The parameters of a class in their order, with their kinds."""
    return tuple((name, parameter.kind) for name, parameter in signature(class_).parameters.items())
