"""Judges media that are here: their kind, their wholeness, the schema's rules; RunComfy's general advice only warns."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ..schema.findings import ErrorFinding, UncheckedFinding, WarningFinding, Weight, unchecked_rule
from ..schema.messages import amount, megabytes, shown
from ..schema.nodes import text_faults, type_error
from .data_uri import BadDataURI, read_data_uri, uri_length
from .facts import RemoteMedia
from .inspect import inspect
from .sources import LocalMedia, UnusableMedia, is_local, measure

if TYPE_CHECKING:
    from ..schema.findings import Finding
    from ..schema.media_field import Media
    from ..schema.rules import MediaRule
    from .facts import Facts

_MIB = 1024 * 1024
# RunComfy's API pages, every model: "images <= 50 MB, videos <= 100 MB".
_ADVICE = {"image": 50 * _MIB, "video": 100 * _MIB}
# What RunComfy's own nodes refuse to put into a data: URI; the server's own limit is not known.
_NODE_CAPS = {"image/png": 6 * _MIB, "video": 32 * _MIB, "audio": 16 * _MIB}


def check_media(node: Media, value: object) -> list[Finding]:
    """The findings about what stands at a media field and is no plain URL."""
    if isinstance(value, str):
        return judge_data_uri(node, value)
    if isinstance(value, RemoteMedia):
        return judge_remote(node, value)
    if is_local(value):
        return judge_local(node, value)
    wanted = f"{node.expected} (an https:// URL, a data: URI, a pathlib.Path, bytes or an open file)"
    return [type_error(wanted, value)]


def judge_local(node: Media, value: object) -> list[Finding]:
    """The findings about a path, bytes, an open file, a PIL image or LocalMedia at a media field."""
    try:
        facts = measure(value)
    except UnusableMedia as fault:
        return [ErrorFinding("media_source", str(fault))]
    if isinstance(value, LocalMedia) and not value.readable:
        return []
    found = _judge_facts(node, facts)
    length = uri_length(facts.mime, facts.size or 0)
    if (node.min_length is not None and length < node.min_length) or (
        node.max_length is not None and length > node.max_length
    ):
        bounds = f"at least {node.min_length}" if node.max_length is None else f"at most {node.max_length}"
        found.append(ErrorFinding("length", f"as a data: URI it is {length} characters long, {bounds} are allowed"))
    return [*found, Weight(length, facts.size or 0)]


def judge_data_uri(node: Media, text: str) -> list[Finding]:
    """The findings about a data: URI in a payload."""
    given = f"a data: URI of {amount(len(text), 'character')}"
    try:
        label, data, strict = read_data_uri(text)
    except BadDataURI as fault:
        return [ErrorFinding("media_broken", f"the data: URI {fault}", given)]
    facts = inspect(io.BytesIO(data), len(data))
    found = _judge_facts(node, facts)
    if not strict:
        found.append(
            WarningFinding(
                "media_label", "the base64 holds white space or lacks its padding; not every reader takes that", given
            )
        )
    if facts.kind is not None and label != facts.mime and not _same_kind(label, facts):
        found.append(
            WarningFinding("media_label", f"is labelled {label or 'as nothing'} and holds {facts.mime}", given)
        )
    return [*found, Weight(len(text), len(data))]


def judge_remote(node: Media, value: RemoteMedia) -> list[Finding]:
    """The findings about a URL that a probe has looked at."""
    found = list(text_faults(value.url, node.min_length, node.max_length))
    if value.facts is None:
        found.append(WarningFinding("media_url", f"the URL could not be looked at: {value.fault}", shown(value.url)))
        return found + [
            unchecked_rule(rule, f"of the URL nothing is known, since {value.fault}") for rule in node.rules
        ]
    return found + _judge_facts(node, value.facts, sent=False)


def _judge_facts(node: Media, facts: Facts, *, sent: bool = True) -> list[Finding]:
    given = f"{facts.mime}, {facts.measure}"
    found: list[Finding] = []
    if facts.broken is not None:
        found.append(ErrorFinding("media_broken", f"the file {facts.broken}", given))
    if facts.kind is None or (facts.kind == "stream" and node.kind != "image"):
        if facts.broken is None:
            what = f"{facts.mime}, which holds either pictures or sound" if facts.kind else "of a kind not known here"
            found.append(UncheckedFinding("media_kind", f"the file is {what}; {node.expected} is expected"))
    elif facts.kind != node.kind:
        found.append(
            ErrorFinding("media_kind", f"expected {node.expected}, got {_article(facts)} ({facts.mime})", given)
        )
        return found
    if facts.broken is not None and facts.width is None:
        # What cannot be read breaks no rule of its own; the size of what there is still counts.
        found += [
            finding for rule in node.rules if rule.operand == "file_size_mb" and (finding := check_rule(rule, facts))
        ]
        return found
    found += [finding for rule in node.rules if (finding := check_rule(rule, facts)) is not None]
    return found + _advice(facts, sent)


def _advice(facts: Facts, sent: bool) -> list[Finding]:
    """What RunComfy advises; ``sent`` files travel within the request, the others are fetched by its servers."""
    kind = facts.kind or ""
    if facts.size is None:
        return []
    if facts.size > _ADVICE.get(kind, facts.size):
        limit = megabytes(_ADVICE[kind])
        return [
            WarningFinding("media_size", f"is {megabytes(facts.size)}; RunComfy advises at most {limit} for a {kind}")
        ]
    cap = _NODE_CAPS.get(facts.mime) or _NODE_CAPS.get(kind)
    if sent and cap is not None and facts.size > cap:
        what = "a PNG" if kind == "image" else f"a{'n' if kind == 'audio' else ''} {kind} file"
        return [
            WarningFinding(
                "media_size",
                f"is {megabytes(facts.size)}; within a request RunComfy's own nodes send {what} of at most "
                f"{megabytes(cap)}; an https:// URL has no such limit",
            )
        ]
    return []


def _article(facts: Facts) -> str:
    return {"image": "an image", "audio": "sound", "video": "a video", "stream": "a video or sound"}.get(
        facts.kind or "", "something else"
    )


def _same_kind(label: str, facts: Facts) -> bool:
    """Whether a label is another name for what the file is."""
    return label.replace("x-", "").replace("jpg", "jpeg").replace("mp3", "mpeg").replace(
        "wave", "wav"
    ) == facts.mime.replace("x-", "")


def check_rule(rule: MediaRule, facts: Facts) -> Finding | None:
    """The finding about a file of these facts: an ErrorFinding if it breaks the rule, None if it keeps it."""
    if not rule.known:
        return unchecked_rule(rule, "")
    readings = _readings(rule, facts)
    if not readings:
        return UncheckedFinding(
            "media_rule", f"{rule} was not checked: {facts.unread or 'it is not known of this file'}", rule=rule
        )
    kept = [_keeps(rule, number) for number in readings]
    if all(kept):
        return None
    if any(kept):
        return UncheckedFinding(
            "media_rule",
            f"{rule} was not checked: the file is stored as {facts.measure} and marked to be shown turned; "
            "which of the two the server measures is not known",
            rule=rule,
        )
    return ErrorFinding(
        "media_rule", f"{rule.message or f'{rule} is not kept'} (given: {facts.measure})", facts.measure, rule=rule
    )


def _readings(rule: MediaRule, facts: Facts) -> list[float]:
    """What the operand may be of this file: one number, or two if the file is marked to be shown turned."""
    if rule.operand == "file_size_mb":
        # In the user's favour: the larger megabyte below an upper bound, the smaller one above a lower bound.
        return [] if facts.size is None else [facts.size / (1024 * 1024 if rule.operator in ("<", "<=") else 1_000_000)]
    width, height = facts.width, facts.height
    if width is None or height is None:
        return []
    sides = [(width, height), (height, width)] if facts.turned else [(width, height)]
    if rule.operand == "width_pixels":
        return [float(side[0]) for side in sides]
    if rule.operand == "height_pixels":
        return [float(side[1]) for side in sides]
    if rule.operand == "shortest_side_pixels":
        return [float(min(width, height))]
    return [side[0] / side[1] for side in sides]


def _keeps(rule: MediaRule, number: float) -> bool:
    bound = rule.value
    assert isinstance(bound, (int, float))
    if rule.operator == "<":
        return number < bound
    if rule.operator == "<=":
        return number <= bound
    if rule.operator == ">":
        return number > bound
    return number >= bound
