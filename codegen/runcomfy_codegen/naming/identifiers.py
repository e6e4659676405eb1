"""How a text becomes a Python name: one rule for names, one for classes, one for constants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping

# A name of a module, attribute, parameter or field: `[a-z][a-z0-9_]*`.
PythonName = NewType("PythonName", str)
ClassName = NewType("ClassName", str)
ConstantName = NewType("ConstantName", str)

_OTHERS = re.compile(r"[^a-z0-9]+")
_PYTHON_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def python_name(text: str, digit_prefix: str, reserved: Mapping[str, str]) -> PythonName | None:
    """Lower case, runs of other characters become one `_`, ends trimmed; None if nothing is left.

    `digit_prefix` goes before a leading digit. A reserved name gets a trailing `_`.
    """
    # Not str.lower(): it turns letters of other alphabets into ASCII ones (the Kelvin sign into k).
    bare = _OTHERS.sub("_", text.translate(_ASCII_LOWER)).strip("_")
    if not bare:
        return None
    name = digit_prefix + bare if bare[0].isdigit() else bare
    return PythonName(name + "_" if name in reserved else name)


def is_python_name(text: str) -> bool:
    """Could python_name have made it? (Reserved or not.)"""
    return _PYTHON_NAME.fullmatch(text) is not None


def class_name(*names: str, suffix: str = "", reserved: Mapping[str, str] | None = None) -> ClassName:
    """`dreamina_4_0` -> `Dreamina4_0`: between two digits the `_` stays, or 4.0 would read as 40."""
    joined = ""
    for word in "_".join(names).split("_"):
        if joined[-1:].isdigit() and word[:1].isdigit():
            joined += "_"
        joined += word[:1].upper() + word[1:]
    joined += suffix
    return ClassName(joined + "_" if reserved and joined in reserved else joined)


def constant_name(*names: str, reserved: Mapping[str, str]) -> ConstantName:
    """`loras`, `item` -> `LORAS_ITEM`."""
    joined = "_".join(names).strip("_").upper()
    return ConstantName(joined + "_" if joined in reserved else joined)
