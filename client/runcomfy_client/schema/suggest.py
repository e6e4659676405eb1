"""The known name that a misspelt one was most likely meant to be: for keys, enum values and model ids."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A name of this length is no misspelling, and a megabyte of text must not be compared with each name.
_LONGEST = 200


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name that ``word`` was most likely meant to be, or None if none is near.

    In this order: the same but for case; one slip away (a letter missing, too many, another, or two swapped); the only
    name that begins so; the name that shares most pairs of letters, if it shares half of them; the first name in which
    the word stands by itself, as "16:9" in "2560x1440(16:9)".
    """
    return _nearest(word, tuple(names)) if len(word) <= _LONGEST else None


def rank(word: str, names: Iterable[str]) -> list[str]:
    """All names that are near, the nearest first."""
    if len(word) > _LONGEST:
        return []
    folded, known = word.casefold(), _read(tuple(names))
    mine = _pairs(folded)
    scores = sorted(((_shared(mine, pairs), name) for _, name, pairs in known), key=lambda score: -score[0])
    near = [name for score, name in scores if score >= 0.5]
    return near or [name for other, name, _ in known if _stands_in(folded, other)]


@lru_cache(maxsize=1024)  # a misspelt word stands in a program, and comes again with every payload
def _nearest(word: str, names: tuple[str, ...]) -> str | None:
    folded, known = word.casefold(), _read(names)
    for other, name, _ in known:
        if other == folded:
            return name
    mine = _pairs(folded)
    # One slip leaves at least one pair, and looking for pairs is quicker than looking for slips.
    for other, name, pairs in known:
        if not mine.isdisjoint(pairs) and _is_one_slip(folded, other):
            return name
    continued = [(other, name) for other, name, _ in known if other.startswith(folded)]
    if len(continued) == 1 and len(continued[0][0]) <= 3 * len(folded) - 2:
        return continued[0][1]
    score, best = max([(_shared(mine, pairs), -place) for place, (_, _, pairs) in enumerate(known)], default=(0.0, 0))
    if score >= 0.5:
        return known[-best][1]
    return next((name for other, name, _ in known if _stands_in(folded, other)), None)


@lru_cache(maxsize=128)
def _read(names: tuple[str, ...]) -> tuple[tuple[str, str, frozenset[str]], ...]:
    """Each name without case, as it is, and its pairs of letters; of names that differ by case only the first."""
    originals: dict[str, str] = {}
    for name in names:
        originals.setdefault(name.casefold(), name)
    return tuple((folded, name, _pairs(folded)) for folded, name in originals.items())


def _is_one_slip(word: str, name: str) -> bool:
    """Whether one letter is missing, too many or another, or two neighbours have changed places."""
    # Of two letters half are one, and anything is one slip away.
    if len(word) < 3 or abs(len(word) - len(name)) > 1:
        return False
    at = 0
    while at < len(word) and at < len(name) and word[at] == name[at]:
        at += 1
    if len(word) > len(name):
        return word[at + 1 :] == name[at:]
    if len(word) < len(name):
        return word[at:] == name[at + 1 :]
    if word[at + 1 :] == name[at + 1 :]:
        return True
    return word[at : at + 2] == name[at : at + 2][::-1] and word[at + 2 :] == name[at + 2 :]


def _shared(mine: frozenset[str], pairs: frozenset[str]) -> float:
    """How many of their pairs of letters two names share, from 0 to 1 (Dice's coefficient)."""
    return 2 * len(mine & pairs) / (len(mine) + len(pairs))


def _pairs(word: str) -> frozenset[str]:
    # The marks at both ends make first and last letters count.
    return frozenset(map("".join, zip(f"\x02{word}", f"{word}\x03", strict=True)))


def _stands_in(word: str, name: str) -> bool:
    """Whether a word stands in a name by itself: "16:9" in "2560x1440(16:9)", "size" in "image_size"."""
    at = name.find(word) if len(word) > 1 else -1
    while at >= 0:
        end = at + len(word)
        if not name[max(at - 1, 0) : at].isalnum() and not name[end : end + 1].isalnum():
            return True
        at = name.find(word, at + 1)
    return False
