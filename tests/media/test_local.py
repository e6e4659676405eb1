"""Reading what was given: once, whole, and with a clear word where it cannot be read."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from runcomfy_client.media import LocalMedia, UnusableMedia, encode_body, load, read_info
from runcomfy_client.prepare import prepare
from runcomfy_client.schema import (
    AnyOf,
    Array,
    Enum,
    Integer,
    Media,
    ModelSpec,
    Number,
    Object,
    Property,
    String,
    check,
)

if TYPE_CHECKING:
    from .conftest import Picture

MIB = 1024 * 1024


def test_every_way_to_give_a_file_leads_to_the_same(tmp_path: Path, picture: Picture) -> None:
    data = picture("PNG")
    file = tmp_path / "a.png"
    file.write_bytes(data)
    with file.open("rb") as opened:
        ways = [file, data, bytearray(data), memoryview(data), opened, io.BytesIO(data)]
        loaded = [load(way) for way in ways]
    assert all(medium == loaded[0] for medium in loaded)
    assert loaded[0].data_uri() == "data:image/png;base64," + base64.b64encode(data).decode()
    assert loaded[0].uri_length == len(loaded[0].data_uri())
    assert load(loaded[0]) is loaded[0]
    assert pickle.loads(pickle.dumps(loaded[0])) == loaded[0]  # our own bytes
    assert hash(loaded[0]) == hash(loaded[1])
    assert str(file) in repr(loaded[0])


def test_an_open_file_is_left_where_it_was(tmp_path: Path, picture: Picture) -> None:
    data = picture("PNG")
    file = tmp_path / "a.bin"
    file.write_bytes(b"head" + data)
    with file.open("rb") as opened:
        opened.seek(4)
        assert read_info(opened).mime == "image/png"
        assert opened.tell() == 4
        assert load(opened).data == data


def test_a_stream_that_cannot_go_back_is_read_once(picture: Picture) -> None:
    data = picture("PNG")
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as out:
        out.write(data)
    with os.fdopen(reading, "rb") as opened:
        assert load(opened).data == data


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr", "F", "I"])
def test_pil_images_of_every_mode(mode: str) -> None:
    medium = load(
        Image.new("RGB", (30, 20), "teal")
        .convert("L")
        .convert("RGB")
        .convert("RGBA" if mode == "LA" else "RGB")
        .convert(mode)
    )
    assert (medium.info.mime, medium.info.width, medium.info.height) == ("image/png", 30, 20)


def test_a_pil_image_of_numbers_that_are_no_shades_is_refused() -> None:
    """A depth map from 0 to 1 would be sent as black, and paid for."""
    for mode, number in (("F", 0.7), ("F", 300.0), ("I", 40_000), ("I", -1)):
        with pytest.raises(UnusableMedia, match=f"mode '{mode}'"):
            load(Image.new(mode, (8, 8), number))
    for mode, number in (("F", 0), ("F", 200.0), ("I", 255)):
        assert load(Image.new(mode, (8, 8), number)).info.mime == "image/png"


def test_a_pil_image_keeps_what_is_seen_through() -> None:
    for mode in ("RGBa", "PA"):
        picture = Image.new("RGBA", (8, 8), (200, 0, 0, 0)).convert("PA" if mode == "PA" else "RGBA").convert(mode)
        sent = Image.open(io.BytesIO(load(picture).data))
        assert sent.mode == "RGBA"
        assert sent.getpixel((0, 0))[3] == 0  # type: ignore[index]  # RGBA has four


def test_an_empty_pil_image_is_refused() -> None:
    with pytest.raises(UnusableMedia, match="is empty"):
        load(Image.new("RGB", (0, 0)))


@pytest.mark.parametrize("make", [load, read_info])
def test_what_cannot_be_read_is_reported(make: object, tmp_path: Path) -> None:
    closed = io.BytesIO()
    closed.close()
    cases = [
        (tmp_path / "none.png", "No such file"),
        (Path("~/a.png"), "expanduser"),
        (tmp_path, "directory"),
        (Path("a\0b"), "cannot read"),
        (io.StringIO("x"), "rb"),
        (closed, "closed file"),
    ]
    for value, words in cases:
        with pytest.raises(UnusableMedia, match=words):
            make(value)  # type: ignore[operator]  # either of the two


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_does_not_hold_up_the_check(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with pytest.raises(UnusableMedia, match="is not a file"):
        read_info(pipe)


@pytest.mark.skipif(sys.platform == "win32", reason="needs sparse files")
def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.mp4"
    with huge.open("wb") as out:
        out.truncate(5 * 1024 * MIB)
    tracemalloc.start()
    for make in (load, read_info):
        with pytest.raises(UnusableMedia, match="https:// URL"):
            make(huge)
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()


def test_measuring_a_large_file_reads_little(tmp_path: Path, sample: dict[str, bytes]) -> None:
    film = sample["one_second.mp4"]
    large = tmp_path / "large.mp4"
    with large.open("wb") as out:
        out.write(film)
        out.write(b"\x08\0\0\0free")
        out.truncate(len(film) + 0x08000000)
    tracemalloc.start()
    info = read_info(large)
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()
    assert (info.width, info.broken) == (320, None)


INPUT = Object(
    {
        "images": Property(Array(Media("image"))),
        "video": Property(Media("video")),
        "steps": Property(Integer()),
        "seconds": Property(Enum((5, 10))),
        "scale": Property(Number()),
        "count": Property(AnyOf(Integer(), Enum(("auto",)))),
        "lora": Property(Object({"path": Property(String())})),
    }
)
SPEC = ModelSpec("a/b", INPUT)


def test_prepare_makes_wire_values(picture: Picture) -> None:
    given = {
        "images": (picture("PNG"), "https://example.com/a.png"),
        "steps": 20.0,
        "seconds": 5.0,
        "scale": 1.0,
        "count": 3.0,
        "lora": {"path": "x"},
        "unknown": (1, 2),
    }
    payload, faults = prepare(SPEC, given)
    assert not faults
    images = payload.pop("images")
    assert isinstance(images, list)
    assert isinstance(images[0], LocalMedia)
    assert json.dumps(payload) == (
        '{"steps": 20, "seconds": 5, "scale": 1.0, "count": 3, "lora": {"path": "x"}, "unknown": [1, 2]}'
    )


def test_prepare_leaves_null_to_the_check() -> None:
    assert prepare(SPEC, {"steps": None, "unknown": None}) == ({"steps": None, "unknown": None}, [])


def test_prepare_tells_what_it_could_not_read_and_the_check_does_not_repeat_it(tmp_path: Path) -> None:
    payload, faults = prepare(SPEC, {"images": [tmp_path / "none.png"], "video": tmp_path, "steps": "x"})
    assert [(fault.path, fault.code) for fault in faults] == [
        ("/images/0", "media_source"),
        ("/video", "media_source"),
    ]
    assert [problem.path for problem in check(SPEC, payload).errors] == ["/steps"]
    with pytest.raises(ValueError, match="could not be read"):
        encode_body(payload)


def test_prepare_without_a_schema_still_reads_media(picture: Picture) -> None:
    payload, _ = prepare(None, {"anything": [{"file": picture("PNG")}], "n": 1.0})
    assert json.loads(b"".join(encode_body(payload)))["anything"][0]["file"].startswith("data:image/png;base64,")


def test_prepare_leaves_what_is_wrong_to_the_check(picture: Picture) -> None:
    payload, faults = prepare(SPEC, {"lora": {"path": Path("x")}, "steps": "7", "images": picture("PNG")})
    assert not faults
    assert [problem.path for problem in check(SPEC, payload).errors] == ["/images", "/lora/path", "/steps"]


def test_a_body_is_json_of_known_length_and_can_be_read_again(picture: Picture) -> None:
    data = picture("JPEG", (900, 700))
    payload, _ = prepare(SPEC, {"images": [data, data], "lora": {"path": 'ü"\\media-'}})
    body = encode_body(payload)
    first, second = b"".join(body), b"".join(body)
    assert body.length == len(first)
    assert first == second
    uri = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    assert json.loads(first) == {"images": [uri, uri], "lora": {"path": 'ü"\\media-'}}
    assert max(map(len, body)) <= 64 * 1024


def test_a_large_body_is_never_in_memory_as_a_whole() -> None:
    data = b"\xff\xd8\xff" + os.urandom(40 * MIB)
    payload, _ = prepare(None, {"file": load(data)})
    tracemalloc.start()
    assert sum(map(len, encode_body(payload))) > 53 * MIB
    assert tracemalloc.get_traced_memory()[1] < 2 * MIB
    tracemalloc.stop()


def test_a_body_cannot_hold_what_json_cannot_carry() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode_body({"a": float("nan")})
    with pytest.raises(TypeError, match="set cannot be sent"):
        encode_body({"a": {1}})


def test_the_bounds_of_a_text_count_for_a_file_as_it_is_sent(picture: Picture) -> None:
    data = picture("PNG")
    length = load(data).uri_length
    (finding,) = [
        entry for entry in Media("image", min_length=1, max_length=40).check(data) or () if entry.code == "length"
    ]
    assert finding.message == f"as a data: URI it must be from 1 to 40 characters long, and is {length}"
    (finding,) = [entry for entry in Media("image", min_length=10**9).check(data) or () if entry.code == "length"]
    assert "at least 1000000000 characters long" in finding.message
