"""The offline check: what a schema says, as objects that judge a payload. Loads neither pydantic nor httpx nor json."""

from __future__ import annotations

from .containers import MISSING, AllOf, AnyOf, AnyValue, Array, Object, OneOf, Property
from .media_node import Media
from .nodes import Boolean, Enum, Integer, Node, Null, Number, String
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
