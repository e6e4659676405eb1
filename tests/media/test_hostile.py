"""Cut, lying and hostile files: told as broken, quickly, in little memory, and never with a crash."""

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from runcomfy_client.media import UnusableMedia, blocks, load, read_info
from runcomfy_client.media.data_uri import BadDataURI, read_data_uri
from runcomfy_client.media.inspect import inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Picture

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
WHOLE = ("one_second.mp4", "one_second.mov", "with_sound.mp4", "half_second.m4a", "half_second.mp3")


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_cut_anywhere_is_broken(picture: Picture, format: str) -> None:
    data = picture(format)
    # A GIF without its last byte alone is what many programs write; every decoder takes it.
    last = len(data) - (2 if format == "GIF" else 1)
    for length in [*range(20, last, max(1, len(data) // 60)), last]:
        broken = read_info(data[:length]).broken
        assert broken is not None, length
        assert "cut off" in broken


def test_a_cut_progressive_jpeg_is_broken(picture: Picture) -> None:
    data = picture("JPEG", progressive=True)
    assert all(read_info(data[: int(len(data) * part)]).broken for part in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99))


def test_what_is_known_of_a_cut_picture_is_kept(picture: Picture) -> None:
    info = read_info(picture("PNG", (500, 400))[:3000])
    assert info.broken is not None
    assert (info.width, info.height) == (500, 400)


@pytest.mark.parametrize("name", WHOLE)
def test_a_cut_video_or_sound_is_broken(sample: dict[str, bytes], name: str) -> None:
    data = sample[name]
    for length in range(256, len(data), max(1, len(data) // 40)):
        assert read_info(data[:length]).broken is not None, length


def test_a_cut_wav_is_broken() -> None:
    head = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 2036, b"WAVEfmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", 2000)
    assert read_info(head + bytes(2000)).broken is None
    assert read_info(head + bytes(1999)).broken is not None
    assert read_info(head[:30]).broken is not None


def png(width: int, height: int, packed: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_without_being_unpacked() -> None:
    bomb = png(30_000, 30_000, zlib.compress(bytes(90_001 * 30_000 // 8), 9) * 8)
    started = time.process_time()
    tracemalloc.start()
    info = read_info(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert info.broken is not None
    assert "bomb" in info.broken
    assert peak < 4 * 1024 * 1024
    assert time.process_time() - started < 2


def test_a_picture_that_claims_more_than_it_can_hold_is_refused() -> None:
    info = read_info(png(4000, 4000, zlib.compress(b"\0" * 100)))
    assert info.broken is not None
    assert "4000 x 4000" in info.broken


def test_a_large_picture_of_a_fitting_size_is_no_bomb() -> None:
    stream = io.BytesIO(png(16_000, 12_000, b"")[:-12])
    info = inspect(stream, 40 * 1024 * 1024)  # the rest of it is elsewhere
    assert info.broken is None


def test_a_picture_of_no_size_is_refused() -> None:
    assert read_info(png(0, 5, b"")).broken is not None
    assert read_info(png(5, 0, b"")).broken is not None


def test_tables_that_lie_cost_nothing(sample: dict[str, bytes]) -> None:
    # Each of these takes a well-known reader a minute, or twelve gigabytes.
    for table in (b"stts", b"stsz", b"stsc", b"stco", b"elst"):
        data = bytearray(sample["half_second.m4a"])
        place = data.find(table)
        if place < 0:
            continue
        for offset in (4, 6, 8, 12):
            data[place + offset : place + offset + 4] = b"\x7f\xff\xff\xff"
        started = time.process_time()
        read_info(bytes(data))
        assert time.process_time() - started < 1


def test_boxes_in_boxes_end() -> None:
    deep = b""
    for _ in range(5000):
        deep = struct.pack(">I4s", len(deep) + 8, b"trak") + deep
    film = struct.pack(">I4s8s", 16, b"ftyp", b"isom\0\0\0\0") + struct.pack(">I4s", len(deep) + 8, b"moov") + deep
    assert read_info(film).broken is not None
    many = struct.pack(">I4s", 8, b"free") * 200_000
    assert read_info(struct.pack(">I4s8s", 16, b"ftyp", b"isom\0\0\0\0") + many).broken is not None


@pytest.mark.parametrize(
    ("start", "block"),
    [
        (b"\xff\xd8", b"\xff\x01ab"),  # after each mark, a JPEG's scan is looked for anew
        (b"\xff\xd8", b"\xff\xff\xff\xff"),
        (b"GIF89a\1\0\1\0\0\0\0!\xfe", b"\x01a"),
        (
            b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 9, 9, 8, 2, 0, 0, 0, 0),
            b"\0\0\0\0tEXt\0\0\0\0",
        ),
    ],
)
def test_more_blocks_than_any_picture_has_are_not_followed(
    start: bytes, block: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "_MOST_STEPS", 10_000)

    class Counting(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1, /) -> bytes:
            Counting.reads += 1
            return super().read(size)

    stream = Counting(start + block * 50_000)
    assert inspect(stream, len(stream.getvalue())).broken is None
    assert Counting.reads < 10_100


def test_an_empty_file_is_broken() -> None:
    assert read_info(b"").broken == "is empty"


def changed(data: bytes, rnd: random.Random) -> bytes:
    """A file with some damage, most of it near its head."""
    spoilt = bytearray(data)
    for _ in range(rnd.choice((1, 3, 20))):
        place = rnd.randrange(len(spoilt) if rnd.random() < 0.5 else min(len(spoilt), 200))
        what = rnd.randrange(4)
        if what == 0:
            spoilt[place] = rnd.randrange(256)
        elif what == 1:
            spoilt[place : place + 4] = rnd.choice((bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1"))
        elif what == 2:
            del spoilt[place : place + rnd.randrange(50)]
        else:
            spoilt[place:place] = spoilt[place : place + 50]
        spoilt = spoilt or bytearray(b"x")
    return bytes(spoilt)


def spoil(picture: Picture, sample: dict[str, bytes], rounds: int) -> None:
    whole = [*sample.values(), *[picture(format) for format in (*FORMATS, "BMP", "TIFF", "AVIF")]]
    rnd = random.Random(rounds)
    for _ in range(rounds):
        data = changed(rnd.choice(whole), rnd)
        started = time.process_time()
        info = read_info(data)
        assert info.summary
        assert time.process_time() - started < 2, data.hex()


@pytest.mark.filterwarnings("ignore::Warning")  # Pillow's, of damaged TIFFs
def test_damaged_files_never_crash_nor_hang(picture: Picture, sample: dict[str, bytes]) -> None:
    spoil(picture, sample, 3000)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::Warning")
def test_many_damaged_files_never_crash_nor_hang(picture: Picture, sample: dict[str, bytes]) -> None:
    spoil(picture, sample, 200_000)


@pytest.mark.parametrize("filler", [b"\xff", b"\0"])
@pytest.mark.parametrize("first", [b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80"], ids=["mp3", "aac"])
def test_a_sound_of_padding_is_not_searched_to_its_end(first: bytes, filler: bytes) -> None:
    data = first + filler * 30_000_000
    with open_counting(data) as (stream, reads):
        info = inspect(stream, len(data))
    assert info.kind == "audio"
    assert len(reads) < 300_000


@contextmanager
def open_counting(data: bytes) -> Iterator[tuple[io.BytesIO, list[int]]]:
    """A stream, and the sizes of all that is read from it."""
    reads: list[int] = []

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            reads.append(size or 0)
            return super().read(size)

    with Counting(data) as stream:
        yield stream, reads


def test_a_picture_that_cannot_be_encoded_is_a_finding(picture: Picture) -> None:
    data = picture("PNG", (300, 300))
    truncated = Image.open(io.BytesIO(data[: len(data) // 2]))
    closed = Image.open(io.BytesIO(data))
    closed.close()
    for image in (truncated, closed):
        with pytest.raises(UnusableMedia, match="the PIL image cannot be read"):
            load(image)


def test_a_long_percent_encoded_uri_is_refused_at_once() -> None:
    with pytest.raises(BadDataURI, match="encode it as base64"):
        read_data_uri("data:image/png," + "%41" * 2_000_000)


def test_white_space_in_base64_is_forgiven_whatever_its_amount() -> None:
    label, data, strict = read_data_uri("data:image/png;base64," + "A B\n" * 2_000_000)
    assert (label, len(data), strict) == ("image/png", 3_000_000, False)
