"""The offline check: what a schema says, as objects that judge a payload. Loads neither pydantic nor httpx nor json."""

from __future__ import annotations

from .containers import MISSING, AllOf, AnyOf, AnyValue, Array, Object, OneOf, Property
from .findings import Advice, Finding, Problem, Report, Unchecked
from .media_field import Media
from .nodes import Boolean, Enum, Integer, Node, Null, Number, String
from .rules import MediaRule
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
    "MediaRule",
    "ModelSpec",
    "Node",
    "Null",
    "Number",
    "Object",
    "OneOf",
    "Problem",
    "Property",
    "Report",
    "String",
    "Unchecked",
    "check",
]
