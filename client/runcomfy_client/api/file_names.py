"""Names of downloaded files, from a template: a name ties a file to its job, and nothing a server says leads anywhere.

The values in a name are reduced to plain ASCII, so that no request id or model id leads out of the folder. The suffix
is that of the content. Where the content is of no known kind, the server's suffix is taken if it is harmless, else
.bin: a result never becomes a program, a script or a page.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import string
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from .arguments import argument_error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .calls import JobRef

DEFAULT_NAME = "{request_id}-{index}{suffix}"
FIELDS = ("request_id", "index", "suffix", "model", "job_key", "date")
_LONGEST = 200  # file systems take 255 bytes, and a number may follow
_LONGEST_VALUE = 120
# Names that Windows keeps for devices, whatever follows the first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_SUFFIX_OF = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/svg+xml": ".svg",
    "image/jxl": ".jxl",
    "image/x-exr": ".exr",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "video/mpeg": ".mpg",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "application/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "application/zip": ".zip",
    "application/pdf": ".pdf",
}
_IMAGES = (".png", ".jpg", ".webp", ".gif", ".avif", ".heic", ".bmp", ".tiff", ".svg", ".jxl", ".exr", ".hdr", ".psd")
_STREAMS = (".mp4", ".webm", ".mov", ".mkv", ".avi", ".mpg", ".m4a", ".ogg")
_SOUNDS = (".mp3", ".wav", ".flac", ".aac", ".opus", ".pcm", ".mid", ".amr", ".aiff")
_OTHERS = (
    *(".glb", ".gltf", ".obj", ".fbx", ".stl", ".ply", ".usdz", ".splat", ".safetensors", ".npz"),
    *(".zip", ".gz", ".pdf", ".json", ".txt", ".csv", ".srt", ".vtt"),
)
_UNKNOWN = ".bin"
_SUFFIXES = {
    "image": (*_IMAGES, _UNKNOWN),
    "video": (*_STREAMS, _UNKNOWN),
    "audio": (*_STREAMS, *_SOUNDS, _UNKNOWN),
}
_HARMLESS = frozenset({*_IMAGES, *_STREAMS, *_SOUNDS, *_OTHERS} - {".svg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What of a job may stand in a file's name."""

    request_id: str
    model: str
    job_key: str
    date: str


def facts_of(job: JobRef, model_id: str | None, reply: Mapping[str, object]) -> JobFacts:
    """The facts of a finished job; the date is that of its creation, as far as that is known, in UTC."""
    return JobFacts(
        request_id=clean_id(job.request_id),
        model=_clean((model_id or "").replace("/", "-")) or "model",
        job_key=_clean(job.job_key or "") or clean_id(job.job_key or job.request_id),
        date=(_time_in(reply, job) or datetime.datetime.now(datetime.UTC)).strftime("%Y-%m-%d"),
    )


def _time_in(reply: Mapping[str, object], job: JobRef) -> datetime.datetime | None:
    for key in ("created_at", "finished_at"):
        text = reply.get(key)
        if isinstance(text, str):
            try:
                moment = datetime.datetime.fromisoformat(text)
                return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
            except (ValueError, OverflowError):
                continue
    return None if job.submitted_at is None else datetime.datetime.fromtimestamp(job.submitted_at, datetime.UTC)


class NameTemplate:
    """The ``name`` argument of a download. Raises ConfigurationError for one that makes no file name."""

    def __init__(self, text: object) -> None:
        if not isinstance(text, str):
            raise argument_error("name", text, "a text such as " + repr(DEFAULT_NAME))
        try:
            parts = list(string.Formatter().parse(text))
            self.text = text
            self.fields = {name for _, name, _, _ in parts if name is not None}
            literal = "".join(part[0] for part in parts)
            made = "" if self.fields - set(FIELDS) else self._format(JobFacts(**_SAMPLE), 1, ".png")
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise argument_error("name", text, f"a template such as {DEFAULT_NAME!r} ({error})") from None
        if unknown := sorted(self.fields - set(FIELDS)):
            fields = ", ".join("{" + name + "}" for name in FIELDS)
            raise argument_error("name", text, f"made of the fields {fields}, and not {{{unknown[0]}}}")
        if re.search(r"[/\\\x00-\x1f]", literal + made):
            raise argument_error("name", text, "a file name without folders; the folder is an argument of its own")
        if not made.strip(". "):
            raise argument_error("name", text, "a name with something in it")

    @property
    def names_job(self) -> bool:
        """Whether a file of this name can only be of that job."""
        return "request_id" in self.fields

    def name(self, facts: JobFacts, index: int, suffix: str) -> str:
        """The name of a result's file number ``index``; without {index} the second file is numbered all the same."""
        if index > 1 and "index" not in self.fields:
            suffix = f"-{index}{suffix}"
        name = self._format(facts, index, suffix)
        if "suffix" not in self.fields and suffix.startswith("-"):
            stem, extension = _split(name)
            name = f"{stem}-{index}{extension}"
        if len(name) > _LONGEST:
            stem, extension = _split(name)
            name = f"{stem[: _LONGEST - 20]}-{_digest(name)}{extension}"
        return f"_{name}" if _DEVICES.match(name) else name

    def find(self, facts: JobFacts, index: int, kind: str, names: Collection[str]) -> str | None:
        """The name among ``names`` that such a file of this job has, whatever its suffix."""
        suffixes = _SUFFIXES.get(kind, (*_IMAGES, *_STREAMS, *_SOUNDS, *_OTHERS, _UNKNOWN))
        return next((name for suffix in suffixes if (name := self.name(facts, index, suffix)) in names), None)

    def _format(self, facts: JobFacts, index: int, suffix: str) -> str:
        values = {"request_id": facts.request_id, "model": facts.model, "job_key": facts.job_key, "date": facts.date}
        return string.Formatter().vformat(self.text, (), {**values, "index": index, "suffix": suffix})


_SAMPLE = {"request_id": "id", "model": "model", "job_key": "key", "date": "2026-11-01"}


def suffix_of(mime: str, url: str, disposition: str) -> str:
    """The suffix of the content; of unknown content the server's, if that is harmless."""
    if mime in _SUFFIX_OF:
        return _SUFFIX_OF[mime]
    for name in (_name_in(disposition), urlsplit(url).path):
        suffix = _split(unquote(name).replace("\\", "/").rsplit("/", 1)[-1])[1]
        if suffix in _HARMLESS:
            return suffix
    return ".txt" if mime == "text/plain" else _UNKNOWN


def clean_id(text: str) -> str:
    """An id as part of a file name; without what file systems refuse, and then with a digest that keeps it its own."""
    cleaned = _clean(text)
    return cleaned if cleaned and cleaned == text else f"{cleaned}-{_digest(text)}".lstrip("-")


def numbered_names(name: str) -> Iterator[str]:
    """The name, then name-2, name-3, ..."""
    stem, extension = _split(name)
    yield name
    number = 1
    while True:
        number += 1
        yield f"{stem}-{number}{extension}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def _name_in(disposition: str) -> str:
    """The file name of a Content-Disposition header, plain or in RFC 2231's form."""
    message = Message()
    message["Content-Disposition"] = disposition.replace("\r", " ").replace("\n", " ")
    return message.get_filename("") or ""


def _clean(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-")[:_LONGEST_VALUE]


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    if dot and stem and 1 <= len(suffix) <= 11 and suffix.isalnum():
        return stem.rstrip("."), f".{suffix.lower()}"
    return name, ""
