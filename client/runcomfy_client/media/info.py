"""What is known of one media file from its content: kind, size, pixels, length. None is "not known"."""

from __future__ import annotations

from ..schema.messages import megabytes


class MediaInfo:
    """What a media rule can be checked by.

    ``kind`` is "image", "video" or "audio"; "stream" is one of the last two, "document" something that is none of the
    three, None is not known here. ``size`` is in bytes (None if it is not known), ``duration`` in seconds, ``width``
    and ``height`` in pixels as stored; ``turned`` says that the file asks to be shown turned by a quarter (EXIF, or a
    video's matrix), which swaps the two for viewers. ``broken`` says why the file cannot be good, ``unread`` why its
    header says nothing.
    """

    __slots__ = ("broken", "duration", "height", "kind", "mime", "size", "turned", "unread", "width")

    def __init__(
        self,
        kind: str | None,
        mime: str,
        size: int | None,
        *,
        width: int | None = None,
        height: int | None = None,
        turned: bool = False,
        duration: float | None = None,
        broken: str | None = None,
        unread: str | None = None,
    ) -> None:
        self.kind = kind
        self.mime = mime
        self.size = size
        self.width = width
        self.height = height
        self.turned = turned
        self.duration = duration
        self.broken = broken
        self.unread = unread

    @property
    def summary(self) -> str:
        """The measures in words: "4097 x 2000 pixels, 1.2 MB"."""
        parts = [megabytes(self.size)] if self.size is not None else []
        if self.duration is not None:
            parts.insert(0, f"{self.duration:.1f} s")
        if self.width is not None and self.height is not None:
            parts.insert(0, f"{self.width} x {self.height} pixels")
        return ", ".join(parts) or "nothing known"

    def __repr__(self) -> str:
        return f"<MediaInfo {self.mime}: {self.summary}>"


class RemoteMedia:
    """What a probe learned of a URL: its ``info``, or in ``reason`` why there is none."""

    __slots__ = ("info", "reason", "url")

    def __init__(self, url: str, info: MediaInfo | None, reason: str = "") -> None:
        self.url = url
        self.info = info
        self.reason = reason

    def __repr__(self) -> str:
        return f"<RemoteMedia {self.url} {self.info or self.reason}>"


def whole_size(info: MediaInfo) -> int:
    """The size, or more than any file has where it is not known: then nothing counts as cut off."""
    return 1 << 62 if info.size is None else info.size
