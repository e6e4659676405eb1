"""The plain form of `validate`, read without a parser; any other word sends the whole line to the full command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


FORMATS = ("text", "json", "junit", "github")


class Asked:
    """What a call of the command asks for."""

    __slots__ = ("files", "form", "jsonl", "model_id", "probe")

    def __init__(
        self, model_id: str, files: tuple[str, ...], *, form: str = "text", jsonl: bool = False, probe: bool = False
    ) -> None:
        self.model_id = model_id
        self.files = files
        self.form = form
        self.jsonl = jsonl
        self.probe = probe


def plain_validate(argv: Sequence[str]) -> Asked | None:
    """What a plain ``validate MODEL FILE... [--json] [--format F] [--jsonl] [--probe]`` asks for, or None.

    None means "not sure", never "wrong": options, faults and help are the full parser's, so the two cannot disagree
    on what is an error. A test holds them to the same reading of the plain form.
    """
    if len(argv) < 3 or argv[0] != "validate":
        return None
    words: list[str] = []
    form, jsonl, probe = "text", False, False
    rest = iter(argv[1:])
    for word in rest:
        if word == "--json":
            form = "json"
        elif word == "--jsonl":
            jsonl = True
        elif word == "--probe":
            probe = True
        elif word == "--format":
            form = next(rest, "")
            if form not in FORMATS:
                return None
        elif word.startswith("-") and word != "-":
            return None
        else:
            words.append(word)
    if len(words) < 2 or ("--json" in argv and "--format" in argv):
        return None
    return Asked(words[0], tuple(words[1:]), form=form, jsonl=jsonl, probe=probe)
