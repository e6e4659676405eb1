"""The nearest of the known names: one slip away if there is such a one, else by shared pairs of letters.

If none is near, a name that holds the given one as a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LONGEST = 200
_REMEMBERED = 256


class Sayings(dict[str, "tuple[str, str, str | None]"]):
    """What there is to say of words that are not known: the message, the word as shown, and the name that was meant.

    The last few hundred are kept, for a misspelt key or value stands in a program and comes again with every payload;
    nothing else that a check says is kept, since making it anew costs no more.
    """

    __slots__ = ("_say",)

    def __init__(self, say: Callable[[str], tuple[str, str, str | None]]) -> None:
        self._say = say

    def __missing__(self, word: str) -> tuple[str, str, str | None]:
        said = self._say(word)
        if len(word) <= _LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[word] = said
        return said


class Speller:
    """Knows some names, and which of them a misspelt one was most likely meant to be."""

    __slots__ = ("_folded", "_halves", "_joined", "_names", "_pairs")

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._folded: dict[str, str] = {}
        for name in self._names:
            self._folded.setdefault(name.casefold(), name)
        self._joined = "\n" + "\n".join(self._folded) + "\n"
        # By the length of the misspelt word, then by its first and by its last half: one slip leaves one half intact.
        self._halves: dict[int, dict[str, list[str]]] = {}
        for folded in self._folded:
            self._take_apart(folded)
        self._pairs: _Pairs | None = None  # only made for words that are further off

    def nearest(self, given: str) -> str | None:
        """The name that ``given`` was meant to be, or None if none is near."""
        if len(given) > _LONGEST or len(word := given.casefold()) > _LONGEST:
            return None
        return (
            self._folded.get(word)
            or self._one_slip(word)
            or self._begun(word)
            or self._sharing().nearest(word)
            or next(_holding(word, self._names), None)
        )

    def _take_apart(self, folded: str) -> None:
        for length in (len(folded) - 1, len(folded), len(folded) + 1):
            # Of two letters half are one, and anything is one slip away.
            if length > 2:
                table = self._halves.setdefault(length, {})
                half = length >> 1
                table.setdefault(folded[:half], []).append(folded)
                table.setdefault(folded[half - length :], []).append(folded)

    def _one_slip(self, word: str) -> str | None:
        """The name in which one letter is missing, too many or another, or two have changed places."""
        table = self._halves.get(len(word))
        if table is not None:
            half = len(word) >> 1
            for folded in table.get(word[:half], ()):
                if _is_slip(word, folded, half):
                    return self._folded[folded]
            for folded in table.get(word[half:], ()):
                if _is_slip(word, folded, 0):
                    return self._folded[folded]
        return None

    def _begun(self, word: str) -> str | None:
        """The only name that begins so, if a third of it is there: "2048x2048(1:1)" for "2048x2048"."""
        begun = f"\n{word}"
        start = self._joined.find(begun)
        if start >= 0 and self._joined.find(begun, start + 1) < 0:
            folded = self._joined[start + 1 : self._joined.find("\n", start + 1)]
            if len(folded) <= 3 * len(word) - 2:  # where half of the pairs are shared
                return self._folded.get(folded)  # None if a name holds line breaks
        return None

    def _sharing(self) -> _Pairs:
        if self._pairs is None:
            self._pairs = _Pairs(self._names)
        return self._pairs


class _Pairs:
    """Counts for all names at once the pairs of letters that they share with a word.

    Half of the pairs must be shared: "inference_step_count" finds "num_inference_steps", "seed" does not find
    "speed_up".
    """

    __slots__ = ("_lanes", "_least", "_names", "_sizes")

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        # A pair's integer has one byte for each name, 1 if the pair is in it: the sum of a word's integers counts for
        # every name in one go. No byte overflows: a word has at most _LONGEST + 1 pairs.
        lanes: dict[tuple[str, str], bytearray] = {}
        self._sizes: list[int] = []
        for place, name in enumerate(names):
            text = _marked(name.casefold())
            pairs = set(zip(text, text[1:], strict=False))  # noqa: RUF007  # itertools need not be loaded for it
            self._sizes.append(len(pairs))
            for pair in pairs:
                lanes.setdefault(pair, bytearray(len(names)))[place] = 1
        self._lanes = {pair: int.from_bytes(lane, "little") for pair, lane in lanes.items()}
        self._least = min(self._sizes, default=0)

    def nearest(self, word: str) -> str | None:
        counts = self._counts(word)
        if not counts or 4 * max(counts) < len(word) + 1 + self._least:
            return None
        near = self._near(word, counts)
        return self._names[min(near)[1]] if near else None

    def ranked(self, word: str) -> list[str]:
        return [self._names[place] for _, place in sorted(self._near(word, self._counts(word)))]

    def _counts(self, word: str) -> bytes:
        text = _marked(word)
        found = filter(None, map(self._lanes.get, zip(text, text[1:])))  # noqa: B905, RUF007  # the quickest way
        return sum(found).to_bytes(len(self._names), "little")

    def _near(self, word: str, counts: bytes) -> list[tuple[float, int]]:
        """The places of the near names, with their scores: the lower the nearer, of equals the first."""
        mine = len(word) + 1
        least, near = mine + self._least, []
        for place, count in enumerate(counts):
            if 4 * count >= least and 4 * count >= mine + self._sizes[place]:
                near.append((-count / (mine + self._sizes[place]), place))
        return near


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The name in ``known`` that ``given`` was most likely meant to be, or None if none is near."""
    return Speller(known).nearest(given)


def ranked(given: str, known: Iterable[str]) -> list[str]:
    """All names in ``known`` that are near to ``given``, the nearest first."""
    word = given.casefold()
    if len(word) > _LONGEST:
        return []
    names = tuple(known)
    return _Pairs(names).ranked(word) or list(_holding(word, names))


def _is_slip(word: str, name: str, start: int) -> bool:
    """Whether one slip leads from ``name`` to ``word``, of which the letters before ``start`` are the same."""
    at = start
    for mine, theirs in zip(word[start:], name[start:]):  # noqa: B905  # to say strict costs as much as the loop
        if mine != theirs:
            break
        at += 1
    if len(word) > len(name):
        return word[at + 1 :] == name[at:]
    if len(word) < len(name):
        return word[at:] == name[at + 1 :]
    if word[at + 1 :] == name[at + 1 :]:
        return True
    return word[at : at + 2] == name[at : at + 2][::-1] and word[at + 2 :] == name[at + 2 :]


def _holding(word: str, names: Iterable[str]) -> Iterator[str]:
    """The names in which a word stands: "16:9" in "2560x1440(16:9)", "size" in "image_size"."""
    return (name for name in names if len(word) > 1 and _holds(name.casefold(), word))


def _holds(name: str, word: str) -> bool:
    at = name.find(word)
    while at >= 0:
        end = at + len(word)
        if not name[max(at - 1, 0) : at].isalnum() and not name[end : end + 1].isalnum():
            return True
        at = name.find(word, at + 1)
    return False


def _marked(folded: str) -> str:
    # The marks at both ends make first and last letters count, and give the empty name a pair of its own.
    return f"\x02{folded}\x03"
