"""The schema's media rules on files that are here: they refuse what breaks them, and nothing else refuses."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import pytest
import runcomfy
from PIL import Image
from runcomfy_client.media import LocalMedia, MediaInfo
from runcomfy_client.schema import AllOf, Array, Media, MediaRule, ModelSpec, Object, Property, Report, String, check
from runcomfy_client.schema.findings import has_errors

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Picture

MIB = 1024 * 1024


def judged(kind: str, *rules: MediaRule, value: object) -> Report:
    return check(ModelSpec("a/b", Object({"file": Property(Media(kind, rules=rules))})), {"file": value})


def codes(report: Report) -> list[str]:
    return [finding.code for finding in (*report.errors, *report.warnings, *report.unchecked)]


def medium(mime: str = "image/png", size: int = 1000, **info: Any) -> LocalMedia:
    """A file of any size, without the bytes."""
    return LocalMedia(b"", MediaInfo(mime.partition("/")[0], mime, size, **info))


def test_the_page_own_sentence_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "wide.png"
    Image.new("RGB", (4097, 2000)).save(file)
    report = runcomfy.validate("bytedance/dreamina-4-0/edit", {"image_urls": [file], "prompt": "Bluer"})
    (problem,) = report.errors
    assert problem.path == "/image_urls/0"
    assert problem.code == "media_rule"
    assert problem.message.startswith("Maximum resolution is 4096x4096.")
    assert "4097 x 2000" in problem.message
    assert problem.rule is not None
    assert (problem.rule.operand, problem.rule.value) == ("width_pixels", 4096)
    assert not report.unchecked


def test_every_broken_rule_is_reported() -> None:
    rules = (
        MediaRule("width_pixels", "<=", 10, "a"),
        MediaRule("height_pixels", ">", 99, "b"),
        MediaRule("file_size_mb", "<", 1, "c"),
    )
    report = judged("image", *rules, value=medium(width=11, height=99, size=2 * MIB))
    assert [problem.message[0] for problem in report.errors] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("operator", "bound", "size", "kept"),
    [
        ("<=", 15, 15 * MIB, True),
        ("<=", 15, 15 * MIB + 1, False),
        ("<", 4.7, int(4.7 * MIB), True),
        ("<", 4, 4 * MIB, False),
        (">=", 1, 1_000_000, True),
        (">=", 1, 999_999, False),
        (">", 1, 1_000_000, False),
    ],
)
def test_megabytes_are_read_in_the_users_favour(operator: str, bound: float, size: int, kept: bool) -> None:
    report = judged("image", MediaRule("file_size_mb", operator, bound), value=medium(size=size, width=5, height=5))
    assert report.ok is kept


@pytest.mark.parametrize(
    ("operand", "operator", "bound", "sides", "kept"),
    [
        ("width_pixels", "<=", 4096, (4096, 9999), True),
        ("width_pixels", ">", 300, (300, 9999), False),
        ("height_pixels", "<=", 4096, (9999, 4097), False),
        ("height_pixels", ">", 300, (1, 301), True),
        ("shortest_side_pixels", ">=", 320, (320, 900), True),
        ("shortest_side_pixels", ">=", 320, (900, 319), False),
        ("width/height", ">=", 0.33, (330, 1000), True),
        ("width/height", ">=", 1 / 3, (1000, 3000), True),
        ("width/height", ">", 0.33, (330, 1000), False),
        ("width/height", "<=", 3, (3000, 1000), True),
        ("width/height", "<", 3, (3000, 1000), False),
    ],
)
def test_pixels(operand: str, operator: str, bound: float, sides: tuple[int, int], kept: bool) -> None:
    assert (
        judged("image", MediaRule(operand, operator, bound), value=medium(width=sides[0], height=sides[1])).ok is kept
    )


def test_a_turned_picture_is_refused_only_if_it_breaks_the_rule_either_way() -> None:
    def told(operand: str, operator: str, bound: float) -> list[str]:
        return codes(
            judged("image", MediaRule(operand, operator, bound), value=medium(width=3000, height=2000, turned=True))
        )

    assert told("width_pixels", "<=", 3000) == []
    assert told("width_pixels", "<=", 2500) == ["media_rule"]
    assert judged("image", MediaRule("width_pixels", "<=", 2500), value=medium(width=3000, height=2000, turned=True)).ok
    assert not judged(
        "image", MediaRule("width_pixels", "<=", 1999), value=medium(width=3000, height=2000, turned=True)
    ).ok
    assert told("shortest_side_pixels", ">=", 2000) == []


def test_an_unknown_rule_is_reported_never_ignored() -> None:
    odd = MediaRule(None, None, 30, "At most 30 frames a second.", raw="fps<=")
    for value in (medium(width=5, height=5), "https://example.com/a.png"):
        report = judged("image", odd, value=value)
        assert report.ok
        (finding,) = report.unchecked
        assert finding.code == "unknown_rule"
        assert "fps<= 30" in finding.message
        assert "At most 30 frames" in finding.message


@pytest.mark.parametrize(("field", "format"), [("video", "PNG"), ("audio", "JPEG")])
def test_another_kind_is_refused(picture: Picture, field: str, format: str) -> None:
    report = judged(field, MediaRule("width_pixels", "<", 1, "x"), value=picture(format))
    assert [problem.code for problem in report.errors] == ["media_kind"]
    assert f"got an image (image/{format.lower()})" in report.errors[0].message


def test_what_may_be_either_is_not_refused(sample: dict[str, bytes]) -> None:
    webm = sample["one_second.webm"]
    assert codes(judged("video", value=webm)) == codes(judged("audio", value=webm)) == ["media_kind"]
    assert judged("video", value=webm).ok
    assert not judged("image", value=webm).ok
    report = judged("video", MediaRule("width_pixels", "<", 1), MediaRule("file_size_mb", "<", 1), value=webm)
    assert [finding.code for finding in report.unchecked] == ["media_kind", "media_rule"]


def test_an_unknown_kind_is_not_refused() -> None:
    report = judged(
        "image", MediaRule("width_pixels", "<", 1), MediaRule("file_size_mb", "<", 1), value=b"\x00\x01\x02\x03"
    )
    assert report.ok
    assert [finding.code for finding in report.unchecked] == ["media_kind", "media_rule"]


def test_a_broken_file_is_reported_with_what_else_is_wrong(picture: Picture) -> None:
    report = judged("image", MediaRule("width_pixels", "<=", 100, "Too wide."), value=picture("PNG")[:2000])
    assert [problem.code for problem in report.errors] == ["media_broken", "media_rule"]


def test_data_uris(picture: Picture) -> None:
    def uri(data: bytes, label: str = "image/png") -> str:
        return f"data:{label};base64,{base64.b64encode(data).decode()}"

    png = picture("PNG")
    assert codes(judged("image", value=uri(png))) == []
    assert codes(judged("image", value=uri(png, "image/jpeg"))) == ["media_label"]
    assert codes(judged("image", value=uri(picture("JPEG"), "image/jpg"))) == []
    assert codes(judged("image", value=base64.encodebytes(png).decode().join(("data:image/png;base64,", "")))) == [
        "media_label"
    ]
    assert codes(judged("video", value=uri(png, "video/mp4"))) == ["media_kind", "media_label"]
    assert codes(judged("image", MediaRule("width_pixels", "<", 100), value=uri(png))) == ["media_rule"]
    assert codes(judged("image", value="data:image/svg+xml,%3Csvg%20xmlns=''/%3E")) == []
    for broken in (
        "data:",
        "data:image/png;base64",
        "data:image/png;base64,ab!c",
        "data:image/png;base64,äöü",
        uri(png[:500]),
    ):
        assert codes(judged("image", value=broken)) == ["media_broken"], broken


def test_general_advice_warns_and_does_not_refuse() -> None:
    cases = [
        (medium(size=51 * MIB, mime="image/jpeg", width=5, height=5), "image", "50.00 MB"),
        (medium(size=7 * MIB, width=5, height=5), "image", "6.00 MB"),
        (medium(size=33 * MIB, mime="video/mp4", width=5, height=5), "video", "32.00 MB"),
        (medium(size=101 * MIB, mime="video/mp4", width=5, height=5), "video", "100.00 MB"),
        (medium(size=17 * MIB, mime="audio/mpeg"), "audio", "16.00 MB"),
    ]
    for value, kind, limit in cases:
        report = judged(kind, value=value)
        assert report.ok
        assert report.warnings[0].code in ("media_size", "body_size")
        assert any(limit in warning.message for warning in report.warnings)


def test_the_sum_of_a_request_is_shown() -> None:
    spec = ModelSpec("a/b", Object({"files": Property(Array(Media("image")))}))
    value = medium(size=20 * MIB, mime="image/jpeg", width=5, height=5)
    assert not check(spec, {"files": [value, value]}).warnings
    (warning,) = check(spec, {"files": [value] * 3}).warnings
    assert (warning.code, warning.path) == ("body_size", "")
    assert "80.00 MB as base64 (3 files: 20.00 MB + 20.00 MB + 20.00 MB)" in warning.message


def test_a_pattern_on_a_media_field_is_meant_for_its_text(picture: Picture) -> None:
    field = AllOf(Media("image"), String(pattern="^https://cdn"))
    assert not has_errors(field.check("https://cdn.example/a.png") or [])
    assert not has_errors(field.check(picture("PNG")) or [])
    assert [finding.code for finding in field.check("https://a.example/") or []] == ["pattern"]


def test_open_files_and_pictures(picture: Picture) -> None:
    image = Image.new("RGBA", (50, 20))
    assert codes(judged("image", MediaRule("width_pixels", "<", 50), value=image)) == ["media_rule"]
    assert codes(judged("image", value=io.BytesIO(picture("GIF")))) == []
    report = judged("image", value=io.StringIO("text"))
    assert 'open(..., "rb")' in report.errors[0].message
