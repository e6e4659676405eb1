"""When a fault happens: `submit 3: lost reply`, `status 1-2: 503`, `result 5%: html`, `#fail nsfw` in a prompt."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from .effects import Effect, UnknownWords, job_effect, request_effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# `request` is any request of the API; `file` is a download; `job` is an accepted submit.
SUBJECTS = ("request", "submit", "status", "result", "cancel", "catalogue", "balance", "file", "job")
_LINE = re.compile(r"\s*(?P<subject>[a-z]+)(?:\s+(?P<which>[\d*][\d\s,%.*-]*))?\s*:\s*(?P<words>.+?)\s*", re.IGNORECASE)
_PARTS = re.compile(r"(\d+)(?:\s*-\s*(\d+)?)?")
_TRIGGER = re.compile(r"#([^#\n]+)")


class BadScript(ValueError):
    """A line of a script is not understood; the message says what is wrong with it."""


@dataclass(slots=True)
class Rule:
    """One line of a script. It counts the requests it has seen itself, from the moment it was made."""

    subject: str
    effect: Effect
    text: str
    spans: tuple[tuple[int, int | None], ...] = ()
    share: float | None = None
    seen: int = 0

    def strikes(self, subject: str, seed: int) -> bool:
        """Does this rule strike the request that comes now? Counts it, if it is of the rule's subject."""
        if subject != self.subject and not (self.subject == "request" and subject not in ("job", "file")):
            return False
        self.seen += 1
        if self.share is not None:
            # By number, not by the order of draws, so that the same requests meet the same fate whatever else goes on.
            return random.Random(f"{seed}/{self.text}/{self.seen}").random() < self.share
        return any(first <= self.seen and (last is None or self.seen <= last) for first, last in self.spans)


def parse_script(*scripts: str | Path | Mapping[str, Any] | Sequence[Any]) -> list[Rule]:
    """The rules of scripts: lines such as "submit 3: lost", mappings and lists of these, YAML or JSON, as text or file.

    Raises:
        BadScript: names the line and what is wrong with it.
    """
    return [_rule(subject, words) for script in scripts for subject, words in _lines(script)]


def triggers(texts: Sequence[str]) -> list[Rule]:
    """The rules in prompts: `#fail nsfw`, `#run 5`, `#status 2: 503`. A hash with other words is just a hash."""
    rules = []
    for text in texts:
        for trigger in _TRIGGER.finditer(text):
            words = trigger[1].strip()
            head, colon, tail = words.partition(":")
            try:
                rules.append(_rule(head, tail) if colon else _rule("job", words))
            except BadScript:
                continue
    return rules


def _lines(script: object) -> Iterator[tuple[str, str]]:
    if isinstance(script, Path):
        try:
            yield from _lines(script.read_text(encoding="utf-8"))
        except OSError as fault:
            raise BadScript(f"{script}: {fault.strerror}") from None
    elif isinstance(script, str):
        yield from _from_text(script)
    elif isinstance(script, dict):
        for head, words in script.items():
            for one in words if isinstance(words, list) else [words]:
                yield str(head), str(one)
    elif isinstance(script, list | tuple):
        for part in script:
            yield from _lines(part)
    elif script is not None:
        raise BadScript(
            f"a script is made of lines such as 'submit 3: lost', this is {json.dumps(script, default=str)}"
        )


def _from_text(text: str) -> Iterator[tuple[str, str]]:
    if "\n" not in text and (match := _LINE.fullmatch(text)):
        yield f"{match['subject']} {match['which'] or ''}", match["words"]
        return
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise BadScript(f"the script is no YAML: {' '.join(str(fault).split())}") from None
    if isinstance(loaded, str):
        raise BadScript(f"{loaded!r} has no colon; a line is such as 'submit 3: lost'")
    yield from _lines(loaded)


def _rule(head: str, words: str) -> Rule:
    text = f"{' '.join(head.split())}: {words.strip()}"
    match = _LINE.fullmatch(text)
    if match is None or match["subject"].lower() not in SUBJECTS:
        raise BadScript(f"{text!r} does not begin with one of {', '.join(SUBJECTS)} and perhaps a number")
    subject, which = match["subject"].lower(), (match["which"] or "").strip()
    try:
        effect = (job_effect if subject == "job" else request_effect)(match["words"])
    except UnknownWords as fault:
        raise BadScript(f"{text!r}: {fault}") from None
    if which.endswith("%"):
        return Rule(subject, effect, text, share=_share(which, text))
    return Rule(subject, effect, text, spans=_spans(which, text))


def _share(which: str, text: str) -> float:
    try:
        share = float(which[:-1]) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise BadScript(f"{text!r}: {which} is no share between 0% and 100%")
    return share


def _spans(which: str, text: str) -> tuple[tuple[int, int | None], ...]:
    """`3`, `1-2`, `4-` and lists of these; `*` for all; nothing for the first."""
    if which == "*":
        return ((1, None),)
    spans = []
    for part in (which or "1").split(","):
        match = _PARTS.fullmatch(part.strip())
        if match is None:
            raise BadScript(f"{text!r}: {part.strip()!r} is no number, no span such as 1-3, and not *")
        first = int(match[1])
        open_end = "-" in part and not match[2]
        spans.append((first, None if open_end else int(match[2] or first)))
    return tuple(spans)
