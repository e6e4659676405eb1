"""What is read off good files, and that a name or a label is never believed."""

from __future__ import annotations

import io
import struct
import wave
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from runcomfy_client.media import load, read_info

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Picture


@pytest.mark.parametrize(
    ("format", "options", "mime"),
    [
        ("PNG", {}, "image/png"),
        ("JPEG", {}, "image/jpeg"),
        ("JPEG", {"progressive": True, "quality": 30}, "image/jpeg"),
        ("WEBP", {}, "image/webp"),
        ("WEBP", {"lossless": True}, "image/webp"),
        ("GIF", {}, "image/gif"),
        ("BMP", {}, "image/bmp"),
        ("TIFF", {}, "image/tiff"),
        ("AVIF", {}, "image/avif"),
    ],
)
def test_pictures(picture: Picture, format: str, options: dict[str, Any], mime: str) -> None:
    data = picture(format, (123, 45), **options)
    info = read_info(data)
    assert (info.kind, info.mime, info.size) == ("image", mime, len(data))
    assert (info.width, info.height, info.turned, info.broken) == (123, 45, False, None)


def test_animations(picture: Picture) -> None:
    for format in ("GIF", "WEBP", "PNG"):
        packed = io.BytesIO()
        frames = [Image.effect_noise((64, 32), spread).convert("RGB") for spread in (10, 50, 90)]
        frames[0].save(packed, format, save_all=True, append_images=frames[1:])
        info = read_info(packed.getvalue())
        assert (info.width, info.height, info.broken) == (64, 32, None)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("orientation", "turned"), [(1, False), (3, False), (5, True), (6, True), (8, True)])
def test_exif_rotation_is_seen_and_changes_no_measure(
    picture: Picture, format: str, orientation: int, turned: bool
) -> None:
    info = read_info(picture(format, (123, 45), orientation=orientation))
    assert (info.width, info.height, info.turned, info.broken) == (123, 45, turned, None)


@pytest.mark.parametrize(
    ("name", "kind", "mime", "sides", "seconds"),
    [
        ("one_second.mp4", "video", "video/mp4", (320, 240), 1.0),
        ("one_second.mov", "video", "video/quicktime", (320, 240), 1.0),
        ("with_sound.mp4", "video", "video/mp4", (320, 240), 1.0),
        ("half_second.m4a", "audio", "audio/mp4", (None, None), 0.46),
        ("half_second.mp3", "audio", "audio/mpeg", (None, None), 0.5),
        ("half_second.flac", "audio", "audio/flac", (None, None), 0.46),
        ("one_second.webm", "stream", "video/webm", (None, None), None),
    ],
)
def test_videos_and_sounds(
    sample: dict[str, bytes],
    name: str,
    kind: str,
    mime: str,
    sides: tuple[int | None, int | None],
    seconds: float | None,
) -> None:
    info = read_info(sample[name])
    assert (info.kind, info.mime, (info.width, info.height), info.broken) == (kind, mime, sides, None)
    assert info.duration == (None if seconds is None else pytest.approx(seconds, abs=0.05))


def test_a_wav() -> None:
    info = read_info(wav(2.0))
    assert (info.kind, info.mime, info.duration) == ("audio", "audio/wav", 2.0)


def wav(seconds: float) -> bytes:
    packed = io.BytesIO()
    with wave.open(packed, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\0\0" * int(8000 * seconds))
    return packed.getvalue()


def test_a_wav_from_a_pipe_tells_no_length_and_is_good() -> None:
    data = bytearray(wav(1.0))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert read_info(bytes(data)).broken is None


def test_a_video_that_is_shown_turned(sample: dict[str, bytes]) -> None:
    data = bytearray(sample["one_second.mp4"])
    matrix = data.index(b"tkhd") + 4 + 40
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    info = read_info(bytes(data))
    assert (info.width, info.height, info.turned) == (320, 240, True)


def test_bytes_after_the_end_do_no_harm(picture: Picture) -> None:
    # Telephones hang a video behind the picture.
    for format in ("JPEG", "PNG", "GIF"):
        assert read_info(picture(format) + b"\0" * 1000 + b"mpvd").broken is None


@pytest.mark.parametrize(
    ("data", "kind", "mime"),
    [
        (b"%PDF-1.7\n", "document", "application/pdf"),
        (b"<!DOCTYPE html><title>x</title>", "document", "text/html"),
        (b"just words", "document", "text/plain"),
        ("schöne Worte".encode(), "document", "text/plain"),
        (b"PK\x03\x04", "document", "application/zip"),
        (b"<svg xmlns=''/>", "image", "image/svg+xml"),
        (b"8BPS\0\1", "image", "image/vnd.adobe.photoshop"),
        (b"\x00\x01\x02\x03 whatever", None, "application/octet-stream"),
    ],
)
def test_other_content(data: bytes, kind: str | None, mime: str) -> None:
    info = read_info(data)
    assert (info.kind, info.mime) == (kind, mime)


def test_a_long_text_is_a_text_wherever_the_head_is_cut() -> None:
    for length in range(500, 520):
        assert read_info(("ä" * length).encode()).mime == "text/plain"


def test_the_kind_is_read_off_the_content(tmp_path: Path, picture: Picture, sample: dict[str, bytes]) -> None:
    liar = tmp_path / "photo.png"
    liar.write_bytes(sample["one_second.mp4"])
    assert read_info(liar).kind == "video"
    other = tmp_path / "photo.mp4"
    other.write_bytes(picture("JPEG"))
    assert load(other).info.mime == "image/jpeg"


def test_an_unknown_content_is_labelled_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "photo.heic"
    file.write_bytes(b"\x00\x01\x02\x03")
    assert load(file).info.mime in ("image/heic", "application/octet-stream")
    assert load(file).info.kind is None
