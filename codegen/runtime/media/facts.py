"""What is known of one media file from its content: kind, size, pixels, length. None is "not known"."""

from __future__ import annotations

__all__ = ["Facts", "megabytes"]


class Facts:
    """The facts a rule can be judged by.

    ``kind`` is "image", "video" or "audio"; "stream" is one of the last two, "document" something that is none of the
    three, None is not known here. ``size`` is in bytes, ``duration`` in seconds, ``width`` and ``height`` in pixels as
    stored; ``turned`` says that the file asks to be shown turned by a quarter (EXIF, or a video's matrix), which swaps
    the two for viewers. ``broken`` says why the file cannot be good, ``unread`` why its header told nothing.
    """

    __slots__ = ("broken", "duration", "height", "kind", "mime", "size", "turned", "unread", "width")

    def __init__(
        self,
        kind: str | None,
        mime: str,
        size: int,
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
    def measure(self) -> str:
        """The measures in words: "4097 x 2000 pixels, 1.2 MB"."""
        told = [megabytes(self.size)]
        if self.duration is not None:
            told.insert(0, f"{self.duration:.1f} s")
        if self.width is not None and self.height is not None:
            told.insert(0, f"{self.width} x {self.height} pixels")
        return ", ".join(told)

    def __repr__(self) -> str:
        return f"<Facts {self.mime}: {self.measure}>"


def megabytes(size: int) -> str:
    """A size in bytes for people; 1 MB is 1024 * 1024 bytes here, as in the rules' upper bounds."""
    if size < 1024:
        return f"{size} bytes"
    if size < 1024 * 1024:
        return f"{size / 1024:.1f} kB"
    return f"{size / (1024 * 1024):.2f} MB"
