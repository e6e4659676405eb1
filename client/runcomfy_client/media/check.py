"""The check of media that can be read here: their kind, whether they are whole, and the schema's media rules.

Only the schema's own rules refuse a file. What RunComfy advises for every model, and what its own nodes refuse, is a
warning: the server's own limits are not published. A rule that cannot be measured is unchecked, never passed as good.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ..schema.findings import ErrorFinding, UncheckedFinding, WarningFinding, Weight, unchecked_rule
from ..schema.messages import amount, brief, megabytes
from ..schema.nodes import lengths, text_errors, type_error
from .data_uri import BadDataURI, read_data_uri, uri_length
from .info import RemoteMedia
from .inspect import inspect
from .sources import LocalMedia, UnusableMedia, is_local, read_info

if TYPE_CHECKING:
    from ..schema.findings import Finding
    from ..schema.media_field import Media
    from ..schema.rules import MediaRule
    from .info import MediaInfo

_MIB = 1024 * 1024
# RunComfy's API pages, every model: "images <= 50 MB, videos <= 100 MB".
_ADVISED_SIZES = {"image": 50 * _MIB, "video": 100 * _MIB}
# What RunComfy's own nodes refuse to put into a data: URI; the server's own limit is not known.
_NODE_CAPS = {"image/png": 6 * _MIB, "video": 32 * _MIB, "audio": 16 * _MIB}


def check_media(node: Media, value: object) -> list[Finding]:
    """The findings about what stands at a media field and is no plain URL."""
    if isinstance(value, str):
        return check_data_uri(node, value)
    if isinstance(value, RemoteMedia):
        return check_remote(node, value)
    if is_local(value):
        return check_local(node, value)
    expected = f"{node.expected} (an https:// URL, a data: URI, a pathlib.Path, bytes or an open file)"
    return [type_error(expected, value)]


def check_local(node: Media, value: object) -> list[Finding]:
    """The findings about a path, bytes, an open file, a PIL image or LocalMedia at a media field."""
    try:
        info = read_info(value)
    except UnusableMedia as error:
        return [ErrorFinding("media_source", str(error))]
    if isinstance(value, LocalMedia) and not value.readable:
        return []
    findings = _check_info(node, info)
    length = uri_length(info.mime, info.size or 0)
    if (node.min_length is not None and length < node.min_length) or (
        node.max_length is not None and length > node.max_length
    ):
        bounds = lengths(node.min_length, node.max_length)
        findings.append(ErrorFinding("length", f"as a data: URI it must be {bounds} long, and is {length}"))
    return [*findings, Weight(length, info.size or 0)]


def check_data_uri(node: Media, text: str) -> list[Finding]:
    """The findings about a data: URI in a payload."""
    actual = f"a data: URI of {amount(len(text), 'character')}"
    try:
        label, data, strict = read_data_uri(text)
    except BadDataURI as error:
        return [ErrorFinding("media_broken", f"the data: URI {error}", actual)]
    info = inspect(io.BytesIO(data), len(data))
    findings = _check_info(node, info)
    if not strict:
        findings.append(
            WarningFinding(
                "media_label", "the base64 holds white space or lacks its padding; not every reader takes that", actual
            )
        )
    if info.kind is not None and label != info.mime and not _same_kind(label, info):
        findings.append(
            WarningFinding("media_label", f"is labelled {label or 'as nothing'} and holds {info.mime}", actual)
        )
    return [*findings, Weight(len(text), len(data))]


def check_remote(node: Media, value: RemoteMedia) -> list[Finding]:
    """The findings about a URL that a probe has looked at."""
    findings = list(text_errors(value.url, node.min_length, node.max_length))
    if value.info is None:
        findings.append(
            WarningFinding("media_url", f"the URL could not be looked at: {value.reason}", brief(value.url))
        )
        return findings + [
            unchecked_rule(rule, f"of the URL nothing is known, since {value.reason}") for rule in node.rules
        ]
    return findings + _check_info(node, value.info, sent=False)


def _check_info(node: Media, info: MediaInfo, *, sent: bool = True) -> list[Finding]:
    actual = f"{info.mime}, {info.summary}"
    findings: list[Finding] = []
    if info.broken is not None:
        findings.append(ErrorFinding("media_broken", f"the file {info.broken}", actual))
    if info.kind is None or (info.kind == "stream" and node.kind != "image"):
        if info.broken is None:
            what = f"{info.mime}, which holds either pictures or sound" if info.kind else "of a kind not known here"
            findings.append(UncheckedFinding("media_kind", f"the file is {what}; {node.expected} is expected"))
    elif info.kind != node.kind:
        findings.append(
            ErrorFinding("media_kind", f"expected {node.expected}, got {_article(info)} ({info.mime})", actual)
        )
        return findings
    if info.broken is not None and info.width is None:
        # What cannot be read breaks no rule of its own; the size of what there is still counts.
        findings += [
            finding for rule in node.rules if rule.operand == "file_size_mb" and (finding := check_rule(rule, info))
        ]
        return findings
    findings += [finding for rule in node.rules if (finding := check_rule(rule, info)) is not None]
    return findings + _size_warnings(info, sent)


def _size_warnings(info: MediaInfo, sent: bool) -> list[Finding]:
    """What RunComfy advises; ``sent`` files travel within the request, the others are fetched by its servers."""
    kind = info.kind or ""
    if info.size is None:
        return []
    if info.size > _ADVISED_SIZES.get(kind, info.size):
        limit = megabytes(_ADVISED_SIZES[kind])
        return [
            WarningFinding("media_size", f"is {megabytes(info.size)}; RunComfy advises at most {limit} for a {kind}")
        ]
    cap = _NODE_CAPS.get(info.mime) or _NODE_CAPS.get(kind)
    if sent and cap is not None and info.size > cap:
        what = "a PNG" if kind == "image" else f"a{'n' if kind == 'audio' else ''} {kind} file"
        return [
            WarningFinding(
                "media_size",
                f"is {megabytes(info.size)}; within a request RunComfy's own nodes send {what} of at most "
                f"{megabytes(cap)}; an https:// URL has no such limit",
            )
        ]
    return []


def _article(info: MediaInfo) -> str:
    return {"image": "an image", "audio": "sound", "video": "a video", "stream": "a video or sound"}.get(
        info.kind or "", "something else"
    )


def _same_kind(label: str, info: MediaInfo) -> bool:
    """Whether a label is another name for what the file is."""
    return label.replace("x-", "").replace("jpg", "jpeg").replace("mp3", "mpeg").replace(
        "wave", "wav"
    ) == info.mime.replace("x-", "")


def check_rule(rule: MediaRule, info: MediaInfo) -> Finding | None:
    """The finding about a file: an ErrorFinding if it breaks the rule, None if it keeps it."""
    if not rule.is_known:
        return unchecked_rule(rule, "")
    readings = _readings(rule, info)
    if not readings:
        return UncheckedFinding(
            "media_rule", f"{rule} was not checked: {info.unread or 'this file does not say'}", rule=rule
        )
    kept = [_satisfies(rule, number) for number in readings]
    if all(kept):
        return None
    if any(kept):
        return UncheckedFinding(
            "media_rule",
            f"{rule} was not checked: the file is stored as {info.summary} and marked to be shown turned; "
            "which of the two the server measures is not known",
            rule=rule,
        )
    return ErrorFinding(
        "media_rule", f"{rule.message or f'{rule} is not kept'} (given: {info.summary})", info.summary, rule=rule
    )


def _readings(rule: MediaRule, info: MediaInfo) -> list[float]:
    """What the operand may be of this file: one number, or two if the file is marked to be shown turned."""
    if rule.operand == "file_size_mb":
        # In the user's favour: the larger megabyte below an upper bound, the smaller one above a lower bound.
        return [] if info.size is None else [info.size / (1024 * 1024 if rule.operator in ("<", "<=") else 1_000_000)]
    width, height = info.width, info.height
    if width is None or height is None:
        return []
    sides = [(width, height), (height, width)] if info.turned else [(width, height)]
    if rule.operand == "width_pixels":
        return [float(side[0]) for side in sides]
    if rule.operand == "height_pixels":
        return [float(side[1]) for side in sides]
    if rule.operand == "shortest_side_pixels":
        return [float(min(width, height))]
    return [side[0] / side[1] for side in sides]


def _satisfies(rule: MediaRule, number: float) -> bool:
    bound = rule.value
    assert isinstance(bound, (int, float))
    if rule.operator == "<":
        return number < bound
    if rule.operator == "<=":
        return number <= bound
    if rule.operator == ">":
        return number > bound
    return number >= bound
