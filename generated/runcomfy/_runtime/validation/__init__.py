"""The offline check: what a schema says, as objects that judge a payload. Loads neither pydantic nor httpx nor json."""

from __future__ import annotations

from .alternatives import AllOf, AnyOf, OneOf
from .containers import MISSING, AnyValue, Array, Object, Property
from .enums import Enum
from .media_node import Media
from .nodes import Boolean, Node, Null, String
from .numbers import Integer, Number
from .report import Advice, Finding, Problem, Report, Unchecked
from .rules import Rule
from .spec import ModelSpec, check

__all__ = [
    "MISSING",
    "Advice",
    "AllOf",
    "AnyOf",
    "AnyValue",
    "Array",
    "Boolean",
    "Enum",
    "Finding",
    "Integer",
    "Media",
    "ModelSpec",
    "Node",
    "Null",
    "Number",
    "Object",
    "OneOf",
    "Problem",
    "Property",
    "Report",
    "Rule",
    "String",
    "Unchecked",
    "check",
]
