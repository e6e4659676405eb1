"""When a fault happens: `submit 3: lost reply`, `status running: 503`, `result 5%: html`, `#fail nsfw` in a prompt."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from .effects import Effect, UnknownFault, job_effect, request_effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# `request` is any request of the API; `file` is a download; `job` is an accepted submit.
SUBJECTS = ("request", "submit", "status", "result", "cancel", "catalog", "balance", "file", "job")
# What scripts call the state of a job.
Phase = Literal["queued", "running", "ended"]
_PHASES: Mapping[str, Phase] = {"queued": "queued", "running": "running", "ended": "ended"}
_WITH_PHASE = ("status", "result", "cancel")
_LINE = re.compile(
    r"\s*(?P<subject>[a-z]+)(?:\s+(?P<phase>queued|running|ended))?(?:\s+(?P<which>[\d*][\d\s,%.*-]*))?"
    r"\s*:\s*(?P<words>.+?)\s*",
    re.IGNORECASE,
)
_PARTS = re.compile(r"(\d{1,9})(?:\s*-\s*(\d{1,9})?)?", re.ASCII)
_TRIGGER = re.compile(r"#([^#\n]+)")


class ScriptError(ValueError):
    """A line of a script cannot be parsed; the message says what is wrong with it."""


@dataclass(slots=True)
class FaultRule:
    """One line of a script. It counts the requests it is about, from the moment it was made."""

    subject: str
    effect: Effect
    text: str
    phase: Phase | None = None
    spans: tuple[tuple[int, int | None], ...] = ()
    share: float | None = None
    seen: int = 0

    def applies(self, subject: str, seed: int, phase: Phase | None = None) -> bool:
        """Does the fault happen to the request that comes now? Counts it, if the rule is about such requests."""
        if subject != self.subject and not (self.subject == "request" and subject not in ("job", "file")):
            return False
        if self.phase is not None and phase != self.phase:
            return False
        self.seen += 1
        if self.share is not None:
            # By number, not by the order of draws: the same requests meet the same faults whatever else happens.
            return random.Random(f"{seed}/{self.text}/{self.seen}").random() < self.share
        return any(first <= self.seen and (last is None or self.seen <= last) for first, last in self.spans)


def ready_scripts() -> dict[str, str]:
    """The scripts that come with the simulator: name and text."""
    folder = files(__package__) / "scripts"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml"))
    return {name.removesuffix(".yaml"): (folder / name).read_text(encoding="utf-8") for name in names}


def parse_script(*scripts: str | Path | Mapping[str, Any] | Sequence[Any]) -> list[FaultRule]:
    """The rules of scripts.

    Args:
        scripts: lines such as "submit 3: lost reply", the name of a ready script, YAML or JSON as text or in a file,
            and mappings and lists of lines.

    Raises:
        ScriptError: names the line and what is wrong with it.
    """
    return [_rule(subject, words) for script in scripts for subject, words in _lines(script)]


def triggers(texts: Sequence[str]) -> list[FaultRule]:
    """The rules in prompts: `#fail nsfw`, `#run 5`, `#status 2: 503`. A hash with other words is just a hash."""
    rules = []
    for text in texts:
        for trigger in _TRIGGER.finditer(text):
            words = trigger[1].strip()
            head, colon, tail = words.partition(":")
            try:
                rules.append(_rule(head, tail) if colon else _rule("job", words))
            except ScriptError:
                continue
    return rules


def _lines(script: object) -> Iterator[tuple[str, str]]:
    if isinstance(script, Path):
        ready = None if script.exists() else ready_scripts().get(str(script))
        try:
            yield from _lines(ready or script.read_text(encoding="utf-8"))
        except OSError as error:
            scripts = ", ".join(ready_scripts())
            raise ScriptError(f"{script}: {error.strerror}; the ready scripts are {scripts}") from None
    elif isinstance(script, str):
        yield from _lines_of_text(ready_scripts().get(script.strip(), script))
    elif isinstance(script, dict):
        for head, words in script.items():
            for line in words if isinstance(words, list) else [words]:
                yield str(head), str(line)
    elif isinstance(script, list | tuple):
        for part in script:
            yield from _lines(part)
    elif script is not None:
        raise ScriptError(
            f"a script is made of lines such as 'submit 3: lost', this is {json.dumps(script, default=str)}"
        )


def _lines_of_text(text: str) -> Iterator[tuple[str, str]]:
    if "\n" not in text and _LINE.fullmatch(text):
        head, _, words = text.partition(":")
        yield head, words
        return
    try:
        has_alias = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader))
        loaded = None if has_alias else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ScriptError(f"the script is no YAML: {' '.join(str(error).split())}") from None
    if has_alias:
        # A few lines with aliases can stand for more lines than there is memory.
        raise ScriptError("a script has no aliases (*name); write the lines out")
    if isinstance(loaded, str):
        raise ScriptError(f"{loaded!r} has no colon; a line is such as 'submit 3: lost'")
    yield from _lines(loaded)


def _rule(head: str, words: str) -> FaultRule:
    text = f"{' '.join(head.split())}: {words.strip()}"
    match = _LINE.fullmatch(text)
    if match is None or match["subject"].lower() not in SUBJECTS:
        raise ScriptError(f"{text!r} does not begin with one of {', '.join(SUBJECTS)} and perhaps a number")
    subject, which = match["subject"].lower(), (match["which"] or "").strip()
    phase = _PHASES[match["phase"].lower()] if match["phase"] else None
    if phase and subject not in _WITH_PHASE:
        raise ScriptError(f"{text!r}: only {', '.join(_WITH_PHASE)} can be {phase}")
    try:
        effect = (job_effect if subject == "job" else request_effect)(match["words"])
    except UnknownFault as error:
        raise ScriptError(f"{text!r}: {error}") from None
    if which.endswith("%"):
        return FaultRule(subject, effect, text, phase, share=_fraction(which, text))
    return FaultRule(subject, effect, text, phase, spans=_spans(which, text))


def _fraction(which: str, text: str) -> float:
    try:
        share = float(which[:-1]) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ScriptError(f"{text!r}: {which} is not a share between 0% and 100%")
    return share


def _spans(which: str, text: str) -> tuple[tuple[int, int | None], ...]:
    """`3`, `1-2`, `4-` and lists of these; `*` for all; nothing for the first."""
    if which == "*":
        return ((1, None),)
    spans = []
    for part in (which or "1").split(","):
        match = _PARTS.fullmatch(part.strip())
        if match is None:
            raise ScriptError(f"{text!r}: {part.strip()!r} is not a number, a span such as 1-3, or *")
        first = int(match[1])
        open_end = "-" in part and not match[2]
        spans.append((first, None if open_end else int(match[2] or first)))
    return tuple(spans)
