"""The readings of the media rules agree on real files: the rule as generator and client parse it, measured here by PIL
and PyAV; the generated client's own check; and the simulator, which shares no code with them.

A rule that one of them reads otherwise lets a paid job be refused, or refuses a good file.
"""

from __future__ import annotations

import base64
import importlib
import io
import itertools
import json
import operator
import sys
from typing import TYPE_CHECKING, Any

import av
import pytest
from PIL import Image
from runcomfy_client.schema.rules import parse_bound, parse_rule
from runcomfy_codegen.generate import Request, generate
from runcomfy_simulator import Simulator
from runcomfy_simulator.catalog import Model
from runcomfy_simulator.media.probe import MediaInfo, probe
from runcomfy_simulator.media.renderer import make_file
from runcomfy_simulator.media.rules import broken_rule
from runcomfy_simulator.media.spec import output_spec

from tests.support.codegen import write_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runcomfy_client.packages import ModelPackage

    from tests.support.simulator import Call

MODEL = "acme/rules/check"
OPERANDS = ("file_size_mb", "width_pixels", "height_pixels", "shortest_side_pixels", "width/height")
SIGNS = ("<", "<=", "≤", ">", ">=", "≥")
SPELLINGS = ("{operand}{sign}", " {operand}  {sign} ")
# The same numbers in every form that a schema has had, and numbers around the sizes of the files below.
BOUNDS: tuple[Any, ...] = (
    *(1, 1.0, "1", "1.0", " 1 ", 64, "64", 64.0),
    *(0.5, "0.5", "1/2", "1 / 2", "0.50", 2, "2", "4/2"),
    *(1 / 3, "1/3", "0.33", "2/3", "1.5/3", 0, "0", 100, "100"),
)
RULES = [
    {"validation_rule": spelling.format(operand=operand, sign=sign), "validation_value": bound}
    for operand, sign, spelling, bound in itertools.product(OPERANDS, SIGNS, SPELLINGS, BOUNDS)
]
UNKNOWN = (
    *("smells<", "longest_side_pixels<=", "duration_seconds<=", "aspect_ratio<=", "width_pixels", "<="),
    *("width_pixels==", "width_pixels=<", "width_pixels!=", "WIDTH_PIXELS<=", "width_pixels <= 5", "height/width<"),
    *(
        "width_pixels≠",
        "file_size_kb<",
        "width pixels<",
        "width_pixels<=>",
        "width_pixels\N{NO-BREAK SPACE}<",
        "width_pixels<\N{EN SPACE}",
    ),
)
NO_BOUNDS: tuple[Any, ...] = (
    *("1e3", "-1", -1, -0.5, "abc", "", " ", "1/0", "0/0", "1/2/3", "/2", "1/", "+1", ".5", "5.", "1,5", "1_000"),
    *(
        "\N{VULGAR FRACTION ONE HALF}",
        "\N{ARABIC-INDIC DIGIT THREE}",
        "nan",
        "inf",
        "0x10",
        "9" * 65,
        "1\N{NO-BREAK SPACE}",
    ),
    *(True, False, None, [], [1], {}, {"value": 1}, float("inf"), float("nan")),
)


def picture(width: int, height: int, kind: str = "PNG", size: int = 0) -> bytes:
    """A picture, with zeros behind it to reach `size` bytes."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, kind)
    return file.getvalue().ljust(size, b"\0")


FILES = {
    "wide.png": picture(128, 64),
    "tall.jpeg": picture(64, 128, "JPEG"),
    "square.webp": picture(64, 64, "WEBP"),
    "third.gif": picture(100, 300, "GIF"),
    "nearly-third.png": picture(33, 100),
    "one-pixel.bmp": picture(1, 1, "BMP"),
    "a-megabyte.png": picture(101, 64, size=1_000_000),
    "a-mebibyte.png": picture(99, 65, size=1024**2),
    "half-a-mebibyte.png": picture(65, 99, size=1024**2 // 2),
    "two-million.png": picture(100, 100, size=2_000_001),
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """One picture, and one list of pictures, that are to keep every rule."""
    rules = [{**rule, "validation_error": f"rule {number};"} for number, rule in enumerate(RULES)]
    unknown = [
        {"validation_rule": rule, "validation_value": 0, "validation_error": f"unknown {number};"}
        for number, rule in enumerate(UNKNOWN)
    ]
    one = {"type": "string", "format": "image_uri", "validations": [*rules, *unknown]}
    more = {"type": "array", "format": "image_uris", "maxItems": 2, "validations": [*rules, *unknown]}
    clip = {**one, "format": "video_uri"}
    return {"type": "object", "properties": {"one": one, "more": more, "clip": clip}}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, schema: dict[str, Any]) -> Iterator[ModelPackage]:
    """The client that the generator makes of it."""
    folder = tmp_path_factory.mktemp("readings")
    write_store(folder / "schemas", {MODEL: schema})
    outcome = generate(
        Request(schemas=folder / "schemas", output=folder, package="rule_readings"), lambda done, of: None
    )
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        package: ModelPackage = importlib.import_module("rule_readings._index").PACKAGE
        assert list(package.model_ids()) == [MODEL], outcome.diagnostics
        yield package
    finally:
        sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory, schema: dict[str, Any]) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("schemas")
    write_store(folder, {MODEL: schema})
    with Simulator(schemas=folder) as running:
        yield running


def numbers_in(texts: list[str]) -> set[int]:
    """The rules that messages name."""
    assert not [text for text in texts if "unknown" in text], "a rule that nobody knows refuses nothing"
    return {int(text.partition(";")[0].removeprefix("rule ")) for text in texts}


def parsed_verdict(data: bytes) -> set[int]:
    """The rules that the file breaks as they are parsed, measured here by PIL and PyAV."""
    if data.startswith((b"\x1aE", b"\0\0\0")):
        with av.open(io.BytesIO(data), mode="r") as container:
            width, height = container.streams.video[0].width, container.streams.video[0].height
    else:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
    broken = set()
    for number, rule in enumerate(RULES):
        known, bound = parse_rule(rule["validation_rule"]), parse_bound(rule["validation_value"])
        assert known is not None
        assert bound is not None, rule
        operand, sign = known
        measured: dict[str, float] = {
            # In the user's favour: the larger megabyte below an upper bound, the smaller above a lower one.
            "file_size_mb": len(data) / (1024**2 if sign in ("<", "<=") else 1_000_000),
            "width_pixels": width,
            "height_pixels": height,
            "shortest_side_pixels": min(width, height),
            "width/height": width / height,
        }
        if not compare[sign](measured[operand], bound):
            broken.add(number)
    return broken


@pytest.mark.parametrize("name", list(FILES))
def test_they_agree_on_real_files(
    name: str, package: ModelPackage, simulator: Simulator, call: Call, tmp_path: Path
) -> None:
    data = FILES[name]
    expected = parsed_verdict(data)
    assert 0 < len(expected) < len(RULES)

    (tmp_path / name).write_bytes(data)
    report = package.validate(MODEL, {"one": tmp_path / name, "more": [data, tmp_path / name]})
    clients = {
        place: numbers_in([error.message for error in report.errors if error.path == place])
        for place in ("/one", "/more/0", "/more/1")
    }
    assert clients == dict.fromkeys(clients, expected)
    unknown = [finding.path for finding in report.unchecked if finding.code == "unknown_rule"]
    assert sorted(unknown) == sorted([*clients] * len(UNKNOWN))

    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    reply = call(simulator).submit(MODEL, one=uri, more=[simulator.host(data)])
    found: dict[str, list[str]] = {}
    for item in reply.json()["detail"]:
        found.setdefault("/".join(map(str, item["loc"][1:])), []).append(item["msg"])
    assert {place: numbers_in(texts) for place, texts in found.items()} == {"one": expected, "more/0": expected}


@pytest.mark.parametrize("suffix", ["mp4", "mov", "webm"])
def test_they_agree_on_real_videos(suffix: str, package: ModelPackage, schema: dict[str, Any], tmp_path: Path) -> None:
    body = {"width": 130, "height": 66, "duration": 1, "output_format": suffix}
    video = Model("a/text-to-video", {"properties": {name: {} for name in body}}, {})
    data = make_file(output_spec(video, body), 0)
    expected = parsed_verdict(data)
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(data)
    report = package.validate(MODEL, {"clip": file})
    info = probe(data)
    assert info is not None
    simulators = {number for number, rule in enumerate(RULES) if broken_rule(rule, info)}
    clients = numbers_in([error.message for error in report.errors])
    measured = not any(finding.code == "media_rule" for finding in report.unchecked)
    assert simulators == expected
    # The client reads no pixels of some containers; what it leaves unchecked it must not refuse.
    assert clients == expected if measured else clients < expected


@pytest.mark.parametrize("bound", NO_BOUNDS, ids=repr)
def test_they_agree_on_what_is_no_number(bound: Any) -> None:
    """The generator names such a schema as faulty; a simulator that serves it all the same refuses nothing for it."""
    assert parse_bound(bound) is None
    for operand, sign in itertools.product(OPERANDS, SIGNS):
        for info in (MediaInfo("image", "image/png", 1, 1, 1), MediaInfo("image", "image/png", 10**9, 10**5, 10**4)):
            assert broken_rule({"validation_rule": operand + sign, "validation_value": bound}, info) is None


@pytest.mark.parametrize("rule", [*UNKNOWN, ""])
def test_they_agree_on_what_is_no_rule(rule: str) -> None:
    assert parse_rule(rule) is None
    for bound in (0, 10**12):
        info = MediaInfo("image", "image/png", 10**6, 100, 100)
        assert broken_rule({"validation_rule": rule, "validation_value": bound}, info) is None


def test_bounds_beyond_a_double_are_numbers() -> None:
    info = MediaInfo("image", "image/png", 1, 1, 1)
    assert parse_bound(10**400) == 10**400
    assert broken_rule({"validation_rule": "width_pixels<", "validation_value": 10**400}, info) is None
    assert broken_rule({"validation_rule": "width_pixels>", "validation_value": 10**400}, info)


def test_a_difference_would_be_seen() -> None:
    """The comparison can fail: other pixels break other rules, and each form of a number is met on both sides."""
    verdicts = [json.dumps(sorted(parsed_verdict(data))) for data in FILES.values()]
    assert len(set(verdicts)) == len(FILES)
    broken = set().union(*(json.loads(each) for each in verdicts))
    kept = set().union(*(set(range(len(RULES))) - set(json.loads(each)) for each in verdicts))
    for bound in BOUNDS:
        numbers = {number for number, rule in enumerate(RULES) if rule["validation_value"] is bound}
        assert numbers & broken, bound
        assert numbers & kept, bound
