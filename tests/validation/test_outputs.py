"""Outputs: a paid result is never refused, and what does not fit is told."""

from __future__ import annotations

import pytest
from runcomfy import MediaOutput
from runcomfy_client.outputs import OutputModel


class Inner(OutputModel):
    score: float
    label: str | None = None


class Strict(OutputModel):
    name: str
    inner: Inner | None = None
    many: list[Inner] = []  # noqa: RUF012  # pydantic copies it


def test_a_good_output() -> None:
    output = MediaOutput.model_validate({"images": ["https://a/1.png", "https://a/2.png"], "seed": 7})
    assert output.images == ["https://a/1.png", "https://a/2.png"]
    assert output.images[0].url == "https://a/1.png"
    assert output.video is None
    assert output.model_extra == {"seed": 7}
    assert output.warnings == ()
    assert output.model_dump(exclude_unset=True) == {"images": ["https://a/1.png", "https://a/2.png"], "seed": 7}
    assert output.model_dump_json(exclude_unset=True) == '{"images":["https://a/1.png","https://a/2.png"],"seed":7}'


def test_an_object_with_a_url_is_a_url() -> None:
    output = MediaOutput.model_validate(
        {"video": {"url": "https://a/v.mp4", "size": 5}, "images": [{"url": "https://a/1"}]}
    )
    assert (output.video, output.images) == ("https://a/v.mp4", ["https://a/1"])


def test_what_does_not_fit_is_left_out_and_reported() -> None:
    raw = {"images": ["https://a/1", 5, None, "https://a/2"], "video": [1], "audio": None, "audios": "https://a/3"}
    output = MediaOutput.model_validate(raw)
    assert (output.images, output.video, output.audio, output.audios) == (
        ["https://a/1", "https://a/2"],
        None,
        None,
        None,
    )
    places = sorted(warning.partition(":")[0] for warning in output.warnings)
    assert places == ["/audios", "/images/1", "/images/2", "/video"]
    assert raw["images"] == ["https://a/1", 5, None, "https://a/2"]


@pytest.mark.parametrize("raw", [None, "https://a/1", 5, [], ["https://a/1"], True])
def test_an_output_of_another_shape(raw: object) -> None:
    output = MediaOutput.model_validate(raw)
    assert output.images is None
    assert len(output.warnings) == 1


def test_an_output_with_required_parts_is_not_refused_either() -> None:
    assert Strict.model_validate({"name": 5, "inner": {"score": "x"}}).model_extra is not None
    assert Strict.model_validate({}).warnings
    output = Strict.model_validate({"name": "a", "inner": {"score": 1, "label": 5}, "many": [{"score": 1}, 7]})
    assert output.inner is not None
    assert output.inner.score == 1
    assert output.inner.label is None
    assert output.inner.warnings


def test_the_constructor_is_as_lenient() -> None:
    assert MediaOutput(image=5, video="https://a/v").video == "https://a/v"  # type: ignore[arg-type]  # a server's fault
    assert MediaOutput().warnings == ()
