"""The offline check: what a schema says, as objects that check a payload. Loads neither pydantic nor httpx nor json."""

from __future__ import annotations

from .containers import MISSING, AllOf, AnyOf, AnyValue, Array, Object, OneOf, Property, map_media
from .findings import ErrorFinding, Finding, Report, UncheckedFinding, WarningFinding
from .media_field import Media
from .nodes import Boolean, Enum, Integer, Node, Null, Number, String
from .rules import MediaRule
from .spec import ModelSpec, check

__all__ = [
    "MISSING",
    "AllOf",
    "AnyOf",
    "AnyValue",
    "Array",
    "Boolean",
    "Enum",
    "ErrorFinding",
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
    "Property",
    "Report",
    "String",
    "UncheckedFinding",
    "WarningFinding",
    "check",
    "map_media",
]
