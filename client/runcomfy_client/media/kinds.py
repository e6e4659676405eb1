"""Identifies the kind of a file by its first bytes, never by a name or a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# As many first bytes as ``sniff`` looks at.
HEAD = 512

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x1aE\xdf\xa3", "video/x-matroska"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"MThd", "audio/midi"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"Rar!", "application/vnd.rar"),
    (b"7z\xbc\xaf", "application/x-7z-compressed"),
    (b"\x7fELF", "application/x-elf"),
)
# What may hold sound alone as well as moving pictures, and is not looked into.
_EITHER = ("video/webm", "video/x-matroska", "video/mpeg", "application/ogg")
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"crx ": "image/x-canon-cr3",
}
# The boxes a QuickTime file of the time before brands begins with.
_OLD_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def sniff(head: bytes) -> tuple[str | None, str]:
    """The kind of a file as ``MediaInfo`` has it, and its MIME type."""
    mime = _mime(head)
    if mime is None:
        return None, "application/octet-stream"
    if mime in _EITHER:
        return "stream", mime
    major = mime.partition("/")[0]
    return (major if major in ("image", "video", "audio") else "document"), mime


def mime_of(path: Path) -> str:
    """The MIME type of a file by its content. Raises OSError."""
    with path.open("rb") as file:
        return sniff(file.read(HEAD))[1]


def _mime(head: bytes) -> str | None:
    for magic, mime in _MAGIC:
        if head.startswith(magic):
            return "video/webm" if mime == "video/x-matroska" and b"webm" in head[:64] else mime
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[:4] == b"RF64" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[4:8] in _OLD_BOXES:
        return "video/quicktime"
    if head[:2] == b"BM" and head[6:10] == b"\x00\x00\x00\x00":
        return "image/bmp"
    if _is_mpeg_frame(head):
        return "audio/aac" if head[1] & 0x06 == 0 else "audio/mpeg"
    return _text_mime(head)


def _is_mpeg_frame(head: bytes) -> bool:
    """The header of an MPEG audio frame, or of an ADTS one: eleven set bits, then nothing that is reserved."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] & 0x18 == 0x08:
        return False
    if head[1] & 0x06 == 0:
        return head[1] & 0xF0 == 0xF0 and head[2] >> 2 & 0xF < 13
    return head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C


def _text_mime(head: bytes) -> str | None:
    if not head or b"\x00" in head:
        return None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "image/svg+xml"
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    try:
        # The head may end within a character.
        text = head.decode() if len(head) < HEAD else head[: HEAD - 4].decode(errors="strict")
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < HEAD - 8:
            return None
        text = head[: error.start].decode()
    return "text/plain" if all(c.isprintable() or c in "\t\r\n\f" for c in text) else None
