"""What is refused, and with which message: bodies by jsonschema and the dialect, media by their content."""

from __future__ import annotations

import base64
import io
import json
import time
from typing import TYPE_CHECKING, Any

import av
import httpx
import pytest
from PIL import Image

from tests.support.simulator import EDIT, IMAGE, VIDEO

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.simulator import Call, Start


def png(width: int, height: int, *, noise: bool = False) -> bytes:
    made = io.BytesIO()
    image = Image.effect_noise((width, height), 100) if noise else Image.new("RGB", (width, height), "teal")
    image.save(made, "PNG")
    return made.getvalue()


def data_uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "a"},
        {"prompt": "a" * 400},
        {"prompt": "😀" * 400},
        {"prompt": "a", "scale": 1},
        {"prompt": "a", "scale": 0.25},
        {"prompt": "a", "steps": 2.0},
        {"prompt": "a", "num_images": 8, "lora": {"path": "x"}},
        {"prompt": "a", "width×height": "64x64(1:1)"},
    ],
)
def test_good_bodies(start: Start, call: Call, body: dict[str, Any]) -> None:
    simulator = start()
    call(simulator).accepted(IMAGE, **body)
    assert simulator.jobs[0].input == body, "kept as sent, nothing added"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["body"]),
        ({"prompt": "a" * 401}, ["body", "prompt"]),
        ({"prompt": None}, ["body", "prompt"]),
        ({"prompt": "a", "promt": "a"}, ["body"]),
        ({"prompt": "a", "scale": True}, ["body", "scale"]),
        ({"prompt": "a", "scale": 1.01}, ["body", "scale"]),
        ({"prompt": "a", "scale": "0.5"}, ["body", "scale"]),
        ({"prompt": "a", "scale": None}, ["body", "scale"]),
        ({"prompt": "a", "steps": True}, ["body", "steps"]),
        ({"prompt": "a", "steps": 3}, ["body", "steps"]),
        ({"prompt": "a", "num_images": 1.5}, ["body", "num_images"]),
        ({"prompt": "a", "width×height": "64x64"}, ["body", "width×height"]),
        ({"prompt": "a", "lora": {"path": "x", "more": 1}}, ["body", "lora"]),
        ({"prompt": "a", "lora": {}}, ["body", "lora"]),
    ],
)
def test_bad_bodies(start: Start, call: Call, body: dict[str, Any], where: list[str]) -> None:
    simulator = start(undeclared_keys="refuse")
    reply = call(simulator).submit(IMAGE, **body)
    assert reply.status_code == 422
    assert where in [item["loc"] for item in reply.json()["detail"]]
    assert simulator.accepted == 0


def test_every_problem_is_reported_at_once(start: Start, call: Call) -> None:
    reply = call(start(undeclared_keys="refuse")).submit(IMAGE, scale=2, steps=9, extra=1)
    assert len(reply.json()["detail"]) == 4


@pytest.mark.parametrize(("profile", "key"), [("nodes", "message"), ("zapier", "error")])
def test_some_profiles_report_them_in_one_text(start: Start, call: Call, profile: str, key: str) -> None:
    reply = call(start(profile=profile)).submit(IMAGE, prompt="a", scale=2)
    assert reply.status_code == 400
    assert "scale: 2 is greater than the maximum" in reply.json()[key]
    assert "error_code" not in reply.json()


def test_the_third_party_profile_names_places_in_text(start: Start, call: Call) -> None:
    caller = call(start(profile="third-party"))
    reply = caller.submit(EDIT, images=[data_uri(png(9, 9)), data_uri(b"no picture")], prompt=5)
    assert reply.status_code == 422
    assert [item["loc"] for item in reply.json()["detail"]] == ["input.prompt", "input.images[1]"]
    assert caller.get("/v1/models", params={"limit": "0"}).json()["detail"][0]["loc"] == "query.limit"


def test_undeclared_keys_are_refused_ignored_or_taken(start: Start, call: Call) -> None:
    body = {"prompt": "a", "lora_": {"path": "x"}, "fps": 12, "duration": 2}
    rates = {}
    for way in ("refuse", "ignore", "take"):
        # The echo of the third-party profile shows which keys count.
        simulator = start(profile="third-party", undeclared_keys=way)
        caller = call(simulator)
        reply = caller.submit(VIDEO, **body)
        if way == "refuse":
            assert (reply.status_code, simulator.accepted) == (422, 0)
            assert "'fps', 'lora_' were unexpected" in reply.text
            continue
        result = caller.result(reply.json()["request_id"])
        assert simulator.jobs[0].input == body
        assert result["input"] == (body if way == "take" else {"prompt": "a", "duration": 2})
        with av.open(io.BytesIO(httpx.get(result["output"]["video"]).content)) as container:
            rates[way] = container.streams.video[0].average_rate
    assert rates == {"ignore": 24, "take": 12}


def test_a_schema_can_forbid_undeclared_keys_itself(tmp_path: Path, start: Start, call: Call) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    schema = {"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": False}
    (tmp_path / "a" / "b" / "input.json").write_text(json.dumps(schema), "utf-8")
    caller = call(start(schemas=tmp_path, undeclared_keys="take"))
    assert [caller.submit("a/b", x="a").status_code, caller.submit("a/b", y="a").status_code] == [200, 422]
    with pytest.raises(ValueError, match="one of refuse, ignore, take"):
        start(undeclared_keys="perhaps")


def test_the_schemas_own_sample_is_taken_whatever_its_name(tmp_path: Path, start: Start, call: Call) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    picture = {"type": "string", "format": "image_uri", "default": "Runcomfy_Example_1290_1.png"}
    clips = {"type": "array", "format": "video_uris", "examples": [["clip.mp4"], "a.mp4"]}
    voice = {"type": "string", "format": "audio_uri", "default": ""}
    schema = {"type": "object", "properties": {"118_image": picture, "clips": clips, "voice": voice}}
    (tmp_path / "a" / "b" / "input.json").write_text(json.dumps(schema), "utf-8")
    caller = call(start(schemas=tmp_path))
    sample = {"118_image": "Runcomfy_Example_1290_1.png", "clips": ["clip.mp4", "a.mp4"], "voice": ""}
    assert caller.submit("a/b", **sample).status_code == 200
    for body in ({"118_image": "Another.png"}, {"clips": ["b.mp4"]}, {"voice": "clip.mp4"}):
        assert caller.submit("a/b", **body).status_code == 422


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"prompt"',
        b'{"prompt": "a", "prompt": "b"}',
        b'{"prompt": "a", "scale": NaN}',
        b'{"prompt": "a", "scale": Infinity}',
        b'{"prompt": "a", "scale": 1e999}',
        b'{"prompt": "a", "num_images": ' + b"9" * 309 + b"}",
        b'{"prompt": "a", "num_images": ' + b"9" * 5000 + b"}",
        b'{"prompt": "\\ud800"}',
        b'{"prompt": "\xff"}',
        b"[" * 100_000,
    ],
    ids=lambda raw: repr(raw[:30]),
)
def test_what_is_no_json_object(start: Start, call: Call, raw: bytes) -> None:
    reply = call(start()).post(f"/v1/models/{IMAGE}", content=raw)
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body"])


def test_a_long_value_is_not_repeated_whole(start: Start, call: Call) -> None:
    reply = call(start()).submit(IMAGE, prompt="a" * 100_000)
    assert "is too long" in reply.text
    assert len(reply.content) < 1_000


def test_a_deep_body_is_checked(start: Start, call: Call) -> None:
    raw = b'{"prompt": ' + b"[" * 900 + b"]" * 900 + b"}"
    assert call(start()).post(f"/v1/models/{IMAGE}", content=raw).status_code == 422


def test_a_body_too_large(start: Start, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runcomfy_simulator.request_body.LARGEST", 1000)
    simulator = start()
    assert call(simulator).submit(IMAGE, prompt="a" * 2000).status_code == 413
    assert simulator.accepted == 0


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (png(400, 300), None),
        (png(401, 300), "At most 400 wide."),
        (png(100, 201), "Too narrow."),
        (png(100, 200), None),
        (png(400, 800, noise=True), None),
        (b"\x89PNG but not really", "no image that can be read"),
        (b"", "no image that can be read"),
    ],
)
def test_rules_of_media(start: Start, call: Call, data: bytes, says: str | None) -> None:
    if len(data) > 10_000:
        assert len(data) < 0.5 * 1024**2, "a case of its own: large, but within bounds"
    reply = call(start()).submit(EDIT, images=[data_uri(data)])
    if says is None:
        assert reply.status_code == 200, reply.text
    else:
        [problem] = reply.json()["detail"]
        assert problem["loc"] == ["body", "images", 0]
        assert says in problem["msg"]


def test_a_megabyte_is_the_larger_one_for_an_upper_bound(start: Start, call: Call) -> None:
    caller = call(start())
    picture = png(20, 20)
    # What follows the end of a PNG belongs to the file, not to the picture.
    fits, over = (picture + b"\0" * (size - len(picture)) for size in (512 * 1024 - 1, 512 * 1024))
    assert caller.submit(EDIT, images=[data_uri(fits)]).status_code == 200
    assert "Under half a megabyte." in caller.submit(EDIT, images=[data_uri(over)]).text


def test_every_item_is_looked_at(start: Start, call: Call) -> None:
    bad = data_uri(png(500, 100))
    reply = call(start()).submit(EDIT, images=[data_uri(png(10, 10)), bad, bad])
    assert [item["loc"][-1] for item in reply.json()["detail"]] == [1, 2]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("photo.png", "a public https URL or a data: URI is expected"),
        ("http://example.org/a.png", "a public https URL or a data: URI is expected"),
        ("http://[bad", "not a URL"),
        ("data:image/png,plain", "not base64"),
        ("data:image/png;base64,###", "not base64"),
        ("https://example.org/a.png", None),
    ],
)
def test_kinds_of_urls(start: Start, call: Call, value: str, says: str | None) -> None:
    reply = call(start()).submit(EDIT, images=[value])
    assert reply.status_code == (422 if says else 200)
    if says:
        assert says in reply.text


def test_own_urls_are_fetched_and_checked(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    good, wide = simulator.host(png(100, 100), "good.png"), simulator.host(png(900, 500), "wide.png")
    assert caller.submit(EDIT, images=[good]).status_code == 200
    assert "At most 400 wide." in caller.submit(EDIT, images=[wide]).text
    assert "404" in caller.submit(EDIT, images=[f"{simulator.url}/files/none.png"]).text
    by_name = good.replace("127.0.0.1", "localhost")
    assert caller.submit(EDIT, images=[by_name]).status_code == 200


def test_other_hosts_are_asked_only_with_fetch_inputs(start: Start, call: Call) -> None:
    plain = start()
    # It speaks plain HTTP, so that an https request to it fails at once and without a network.
    elsewhere = plain.url.replace("http://", "https://") + "/a.png"
    assert call(plain).submit(EDIT, images=[elsewhere]).status_code == 200
    reply = call(start(fetch_inputs=True)).submit(EDIT, images=[elsewhere])
    assert reply.status_code == 422
    assert "the URL could not be fetched" in reply.text


def test_an_output_is_a_good_input(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    url = caller.output(IMAGE, prompt="a")["images"][0]
    assert caller.submit(EDIT, images=[url]).status_code == 200


def test_kind_goes_by_content(start: Start, call: Call) -> None:
    reply = call(start()).submit(EDIT, images=[data_uri(png(9, 9))], clip=data_uri(png(9, 9), "video/mp4"))
    assert "an expected video is image/png" in reply.text


SDP = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'


@pytest.mark.parametrize("data", [SDP, PLAYLIST, SVG, b"ffconcat version 1.0\nfile /etc/passwd\n"])
def test_files_that_name_other_files_are_refused_at_once(start: Start, call: Call, data: bytes) -> None:
    caller = call(start())
    began = time.perf_counter()
    reply = caller.submit(EDIT, images=[data_uri(png(9, 9))], clip=data_uri(data, "video/mp4"))
    assert reply.status_code == 422
    assert "no video that can be read" in reply.text
    uploaded = caller.post("/simulator/files", params={"name": "a.svg"}, content=data)
    assert uploaded.status_code == 201
    assert caller.get(uploaded.json()["url"]).content == data
    assert time.perf_counter() - began < 3


def test_the_zapier_profile_takes_no_data_uris(start: Start, call: Call) -> None:
    simulator = start(profile="zapier")
    reply = call(simulator).submit(EDIT, images=[data_uri(png(9, 9))])
    assert (reply.status_code, "data: URIs are not taken" in reply.text) == (400, True)
    assert call(simulator).submit(EDIT, images=[simulator.host(png(9, 9))]).status_code == 200
