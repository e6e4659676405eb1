"""Which characters may be shown as they are. The answer is the same on every version of Python.

str.isprintable and repr depend on the interpreter's edition of Unicode: an emoji that one knows is an escape to
another, and generated files would differ.
"""

from __future__ import annotations

import unicodedata

# Controls, formats (direction marks among them), halves of pairs, private ones, separators. What is not assigned yet is
# no such thing: a later Unicode may make a letter of it.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"})


def is_visible(char: str) -> bool:
    """Does a character show itself, and nothing else?"""
    if char.isascii():
        return " " <= char <= "~"
    return unicodedata.category(char) not in _HIDDEN


def all_visible(text: str) -> bool:
    return (text.isascii() and text.isprintable()) or all(map(is_visible, text))
