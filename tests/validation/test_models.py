"""Input classes: judged by the check alone, whichever way they are made; what was given is what is sent."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError
from runcomfy import InvalidInputError
from runcomfy.models.bytedance.dreamina_4_0.edit import EditInput as RealInput
from runcomfy_client.media import LocalMedia
from runcomfy_client.models import InputObject, bind
from runcomfy_client.schema import Number, Object, Property

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://example.com/a.png"
RATIO = "2048x2048(1:1)"


def problems(raised: pytest.ExceptionInfo[InvalidInputError]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in raised.value.report.errors]


def test_both_names_are_taken_and_the_wire_name_is_sent(edit_input: type[Any]) -> None:
    for name in ("width_height", "width×height"):
        made = edit_input(image_urls=[URL], prompt="x", **{name: RATIO})
        assert made.width_height == RATIO
        assert made.to_payload() == {"image_urls": [URL], "prompt": "x", "width×height": RATIO}


def test_both_names_at_once_are_an_error(edit_input: type[Any]) -> None:
    with pytest.raises(InvalidInputError) as raised:
        edit_input(image_urls=[URL], prompt="x", **{"width_height": RATIO, "width×height": RATIO})
    assert problems(raised) == [("/width×height", "both_names")]


def test_none_is_not_given_and_not_sent(edit_input: type[Any]) -> None:
    made = edit_input(
        image_urls=[URL], prompt="x", scale=None, note=None, **{"width_height": None, "width×height": RATIO}
    )
    assert made.to_payload() == {"image_urls": [URL], "prompt": "x", "width×height": RATIO}
    assert made.scale is None
    assert "scale" not in made.model_fields_set


def test_none_does_not_hide_an_unknown_name(edit_input: type[Any]) -> None:
    with pytest.raises(InvalidInputError) as raised:
        edit_input(image_urls=[URL], prompt="x", promt=None)
    assert problems(raised) == [("/promt", "unknown_key")]


def test_everything_wrong_is_reported_at_once(edit_input: type[Any]) -> None:
    with pytest.raises(InvalidInputError) as raised:
        edit_input(image_urls=URL, prompt="x" * 21, scale=True, loras=[{"path": 1}], promt="x")
    assert problems(raised) == [
        ("/image_urls", "type"),
        ("/loras/0/path", "type"),
        ("/prompt", "length"),
        ("/promt", "unknown_key"),
        ("/scale", "type"),
    ]
    assert raised.value.report.model_id == "acme/one/edit"


def test_python_values_become_wire_values(edit_input: type[Any], lora_input: type[Any]) -> None:
    made = edit_input(
        image_urls=(URL, URL),
        prompt="x",
        seed=7.0,
        duration=5.0,
        loras=(lora_input(path="a"), {"path": "b", "scale": 2}),
        size={"width": 64.0},
        extra={"a": (1, 2)},
    )
    payload = made.to_payload()
    assert payload == {
        "image_urls": [URL, URL],
        "prompt": "x",
        "duration": 5,
        "seed": 7,
        "loras": [{"path": "a"}, {"path": "b", "scale": 2}],
        "size": {"width": 64},
        "extra": {"a": [1, 2]},
    }
    assert [type(payload[key]) for key in ("seed", "duration")] == [int, int]
    assert isinstance(made.loras[1], lora_input)
    assert made.loras[1].scale == 2
    assert made.size.width == 64
    json.dumps(payload)


def test_a_whole_float_stays_one_where_numbers_are_meant(edit_input: type[Any]) -> None:
    assert type(edit_input(image_urls=[URL], prompt="", scale=1.0).to_payload()["scale"]) is float
    assert type(edit_input(image_urls=[URL], prompt="", scale=1).to_payload()["scale"]) is int


def test_local_media_are_read_once(edit_input: type[Any], tmp_path: Path, png: bytes) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(png)
    made = edit_input(image_urls=[file, png], prompt="")
    file.unlink()
    first, second = made.to_payload()["image_urls"]
    assert isinstance(first, LocalMedia)
    assert first == second
    assert first.data == png


def test_a_missing_file_is_reported_beside_the_rest(edit_input: type[Any], tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as raised:
        edit_input(image_urls=[tmp_path / "none.png", "none.png"], prompt=5)
    assert problems(raised) == [
        ("/image_urls/0", "media_source"),
        ("/image_urls/1", "media_source"),
        ("/prompt", "type"),
    ]


def test_inputs_are_frozen_and_comparable(edit_input: type[Any]) -> None:
    made = edit_input(image_urls=[URL], prompt="x")
    with pytest.raises(ValidationError):
        made.prompt = "y"
    assert made == edit_input(prompt="x", image_urls=[URL])
    assert made != edit_input(prompt="y", image_urls=[URL])


def test_copies_and_pickles_are_the_same_input(png: bytes) -> None:
    made = RealInput(image_urls=[URL, png], prompt="x", width_height="2048x2048(1:1)", scale=1)
    for twin in (
        copy.copy(made),
        copy.deepcopy(made),
        pickle.loads(pickle.dumps(made)),
        made.model_copy(),
    ):
        assert twin == made
        assert twin.to_payload() == made.to_payload()


def test_a_changed_copy_is_checked(edit_input: type[Any]) -> None:
    made = edit_input(image_urls=[URL], prompt="x", width_height=RATIO)
    changed = made.model_copy(update={"width_height": "1024x1024(1:1)", "scale": 1})
    assert changed.to_payload() == {**made.to_payload(), "width×height": "1024x1024(1:1)", "scale": 1}
    with pytest.raises(InvalidInputError) as raised:
        made.model_copy(update={"scale": 2})
    assert problems(raised) == [("/scale", "range")]


@pytest.mark.parametrize("payload", [{"image_urls": [URL], "prompt": "x", "width×height": RATIO}])
def test_pydantic_ways_in_lead_to_the_same_check(edit_input: type[Any], payload: dict[str, object]) -> None:
    class Task(BaseModel):
        input: edit_input  # type: ignore[valid-type]  # a class of the fixture

    made = edit_input(**payload)
    assert edit_input.model_validate(payload) == made
    assert edit_input.model_validate(made) is made
    assert edit_input.model_validate_json(json.dumps(payload)) == made
    assert Task(input=payload).input == made
    assert Task.model_validate_json(json.dumps({"input": payload})).input == made
    bad = {**payload, "scale": 2, "prompt": None}
    for make in (
        lambda: edit_input.model_validate(bad),
        lambda: edit_input.model_validate_json(json.dumps(bad)),
        lambda: Task(input=bad),
        lambda: Task.model_validate_json(json.dumps({"input": bad})),
    ):
        with pytest.raises(InvalidInputError) as raised:
            make()
        assert problems(raised) == [("/prompt", "required"), ("/scale", "range")]


def test_json_text_with_faults_of_its_own(edit_input: type[Any]) -> None:
    with pytest.raises(InvalidInputError) as raised:
        edit_input.model_validate_json('{"prompt": "x", "prompt": 5, "scale": NaN}')
    assert problems(raised) == [
        ("/image_urls", "required"),
        ("/prompt", "duplicate_key"),
        ("/prompt", "type"),
        ("/scale", "not_finite"),
    ]
    with pytest.raises(InvalidInputError) as raised:
        edit_input.model_validate_json("[")
    assert problems(raised) == [("", "json")]
    with pytest.raises(InvalidInputError) as raised:
        edit_input.model_validate("x")
    assert problems(raised) == [("", "type")]


def test_the_class_tells_its_own_schema() -> None:
    schema = RealInput.model_json_schema()
    assert schema["required"] == ["image_urls", "prompt"]
    assert schema["properties"]["image_urls"]["items"] == {"type": "string", "format": "image_uri"}
    made = RealInput(image_urls=[URL], prompt="x", width_height="2048x2048(1:1)")
    assert json.loads(made.model_dump_json(by_alias=True, exclude_unset=True)) == made.to_payload()


def test_a_class_cannot_be_bound_to_another_schema() -> None:
    class Odd(InputObject):
        scale: float

    with pytest.raises(TypeError, match="scal"):
        bind(Odd, Object({"scal": Property(Number())}))
    with pytest.raises(TypeError, match="bound to no schema"):
        Odd(scale=1)


def test_additional_keys_are_kept_where_the_schema_lets_them() -> None:
    class Open(InputObject, extra="allow"):
        a: float | None = None

    bind(Open, Object({"a": Property(Number())}, extra=True))
    made = Open(a=1, b="x")  # type: ignore[call-arg]  # what the schema does not name
    assert made.to_payload() == {"a": 1, "b": "x"}
    assert made.model_copy(update={"c": 2}).to_payload() == {"a": 1, "b": "x", "c": 2}


def test_a_repr_shows_what_was_given_in_a_line() -> None:
    long = "https://example.com/" + "a" * 5000
    shown = repr(RealInput(image_urls=[long], prompt="Bluer"))
    assert shown.startswith("EditInput(image_urls=['https://example.com/aaa")
    assert shown.endswith("(5020 characters)'], prompt='Bluer')")
    assert len(shown) < 400
