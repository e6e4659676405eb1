"""Which characters may be shown as they are. The answer is the same on every version of Python.

str.isprintable and repr depend on the interpreter's edition of Unicode: an emoji that one knows is an escape to
another, and generated files would differ.
"""

from __future__ import annotations

import unicodedata

# Controls, formats (direction marks among them), halves of pairs, private ones, separators. Unassigned code points do
# not count: a later Unicode may assign a letter.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"})


def is_visible(char: str) -> bool:
    """Does a character show as itself, with no other effect?"""
    if char.isascii():
        return " " <= char <= "~"
    return unicodedata.category(char) not in _HIDDEN


def all_visible(text: str) -> bool:
    return (text.isascii() and text.isprintable()) or all(map(is_visible, text))
