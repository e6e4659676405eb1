"""The nearest of the known names, by shared pairs of letters: a hundred times cheaper than an edit distance."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Speller"]

# Half of the pairs must be shared: "promt" finds "prompt", "hieght" finds "height", "seed" does not find "speed_up".
_ENOUGH = 0.5
_LONGEST = 200
_REMEMBERED = 256


class Speller:
    """Knows some names, and which of them a misspelt one was most likely meant to be.

    It remembers its last answers: whoever checks ten thousand payloads meets the same slip again and again.
    """

    __slots__ = ("_answers", "_known")

    def __init__(self, names: Iterable[str]) -> None:
        self._known = [(name, _pairs(name)) for name in names]
        self._answers: dict[str, str | None] = {}

    def nearest(self, given: str) -> str | None:
        """The name ``given`` was meant to be, or None if none is near."""
        try:
            return self._answers[given]
        except KeyError:
            pass
        if len(given) > _LONGEST:
            return None
        if len(self._answers) >= _REMEMBERED:
            self._answers.clear()
        answer = self._answers[given] = next(iter(self.ranked(given)), None)
        return answer

    def ranked(self, given: str) -> list[str]:
        """All names that are near, the nearest first."""
        mine = _pairs(given)
        scores = [(2 * len(mine & theirs) / (len(mine) + len(theirs)), name) for name, theirs in self._known]
        near = [(score, name) for score, name in scores if score >= _ENOUGH]
        return [name for _, name in sorted(near, key=lambda pair: -pair[0])]


def _pairs(name: str) -> frozenset[str]:
    # The marks at both ends make first and last letters count, and give the empty name a pair of its own.
    text = f"\x02{name.casefold()}\x03"
    return frozenset([text[i : i + 2] for i in range(len(text) - 1)])
