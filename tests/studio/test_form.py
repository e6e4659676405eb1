"""From a payload to a form and back: by the form's data, and through the HTML and the encoding that a browser sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy._index import PACKAGE
from runcomfy_client.describe.snippets import example_input
from runcomfy_client.schema import AnyOf, Array, Boolean, Enum, Integer, Media, Null, Number, Object, Property, String
from runcomfy_client.schema.nodes import json_equal
from runcomfy_client.schema.spec import ModelSpec
from runcomfy_studio import fields, form

from tests.support.oracle import ODD, Maker
from tests.support.studio import form_in

if TYPE_CHECKING:
    from tests.support.studio import StudioCaller, StudioThread

NESTED = ModelSpec(
    "acme/nested",
    Object(
        {
            "prompt": Property(String(max_length=20)),
            "size": Property(AnyOf(Enum(("square", "wide")), Object({"w": Property(Integer())}), Null())),
            "frames": Property(Array(Object({"image": Property(Media("image")), "at": Property(Number())}))),
            "grid": Property(Array(Array(Integer()))),
            "on": Property(Boolean()),
            "any": Property(Array(None)),
            "lora": Property(Object({"path": Property(String()), "scale": Property(Number(minimum=0, maximum=1))})),
        },
        required=("prompt",),
    ),
)
PAYLOADS: tuple[dict[str, Any], ...] = (
    {},
    {"prompt": ""},
    {"prompt": "a\nb", "size": "wide"},
    {"prompt": "\n first line empty"},
    {"prompt": "CR \r, NUL \0, half \ud800, CRLF \r\n"},
    {"size": {"w": 5}},
    {"size": None},
    {"size": {"w": None}},
    {"size": {}},
    {"frames": []},
    {"frames": [{}]},
    {"frames": [{"image": "https://a.b/c.png", "at": 0.5}, {"at": -0.0}, {"image": ""}]},
    {"grid": [[], [1, 2], [[3]]]},
    {"any": [None, "text", 5, {"a": [1]}]},
    {"lora": {"path": "</textarea><script>alert(1)</script>", "scale": "0.5"}},
    {"lora": {"unknown": 1}, "more": True, "f.0": "x", "": 2},
    {"on": "true"},
    {"frames": [{"at": 1}] * 150},
    {"prompt": ["not", "a", "text"]},
    {"lora": {"scale": "about a half"}},
    {"lora": {"scale": 1e300}},
)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_payload_comes_back_out_of_the_form(payload: dict[str, Any]) -> None:
    assert json_equal(form.read(NESTED.input, form.write(NESTED.input, payload)).payload, payload)


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_odd_values_come_back_from_every_field(value: object) -> None:
    for wire in NESTED.input.properties:
        payload = {wire: value}
        assert json_equal(form.read(NESTED.input, form.write(NESTED.input, payload)).payload, payload), wire


def schema_of(model_id: str) -> dict[str, Any]:
    from runcomfy_client.describe.json_schema import input_schema

    return input_schema(PACKAGE.known_spec(model_id))


def test_a_thousand_random_payloads_come_back() -> None:
    models = PACKAGE.model_ids()
    count = 0
    for seed, model_id in enumerate(models):
        spec = PACKAGE.known_spec(model_id)
        for payload in Maker(schema_of(model_id), seed).payloads(1400 // len(models)):
            if isinstance(payload, dict):
                count += 1
                assert json_equal(form.read(spec.input, form.write(spec.input, payload)).payload, payload), model_id
    assert count >= 1000


def test_examples_fill_the_forms_of_all_models(caller: StudioCaller, studio: StudioThread) -> None:
    for draft in (studio.settings.folder / "drafts").iterdir():
        draft.unlink()
    for model_id in PACKAGE.model_ids():
        spec = PACKAGE.known_spec(model_id)
        sent = caller.form_of(f"/models/{model_id}")
        data = form.clean(list(sent.items()))
        assert json_equal(form.read(spec.input, data).payload, example_input(spec)), model_id


def test_what_is_typed_in_the_json_comes_back_out_of_the_html(caller: StudioCaller) -> None:
    """Through the real page: JSON in, HTML of the fields out, read as a browser reads it."""
    model_id = "bytedance/dreamina-4-0/edit"
    spec = PACKAGE.known_spec(model_id)
    for payload in Maker(schema_of(model_id), 7).payloads(60):
        if not isinstance(payload, dict):
            continue
        reply = caller.post(f"/json/{model_id}", data={"json": json.dumps(payload), "key": "studio-test"})
        fields = reply.text.partition('hx-target="#fields"')[2].partition("</hx-partial>")[0]
        data = form.clean(list(form_in(f'<form id="form"{fields}</form>').items()))
        assert json_equal(form.read(spec.input, data).payload, payload), payload


def test_rows_move_up_when_one_is_removed() -> None:
    data = form.write(NESTED.input, {"frames": [{"at": 1}, {"at": 2}, {"at": 3}], "prompt": "x"})
    data = form.remove_row(data, "f.2", 1)
    assert form.read(NESTED.input, data).payload == {"frames": [{"at": 1}, {"at": 3}], "prompt": "x"}


def test_rows_are_limited() -> None:
    data = {"f.2:rows": "99999999", "f.3:rows": "9" * 400}
    for row in range(100):
        data[f"f.3.{row}:rows"] = "100"
    assert len(fields.fields(NESTED, {"f.2:rows": "99999999"})[2].items) == form.MOST_ROWS
    digits = "9" * 5000
    assert form.read(NESTED.input, {"f.1:alt": digits, "f.4": digits, "f.6.1": "1"}).payload == {"lora": {"scale": 1}}
    with pytest.raises(form.FormError):
        form.read(NESTED.input, data)


def test_what_is_empty_is_not_given() -> None:
    assert form.read(NESTED.input, {"f.0": "", "f.1:alt": "", "f.2:rows": "2"}).payload == {}
    assert form.read(NESTED.input, {"f.0": "", "f.0:empty": "1"}).payload == {"prompt": ""}


def test_findings_stand_beside_the_fields_they_are_about() -> None:
    data = {"f.2:rows": "3", "f.2.0.1": "", "f.2.1.1": "much", "f.2.2.1": "2"}
    reading = form.read(NESTED.input, data)
    assert reading.payload == {"frames": [{"at": "much"}, {"at": 2}]}
    (finding,) = [each for each in NESTED.input.check(reading.payload) or () if each.keys != ("prompt",)]
    assert finding.keys == ("frames", 0, "at")
    assert reading.field_of(finding.keys) == "f.2.1.1"


def test_keys_that_the_schema_lacks_stand_in_a_field_of_their_own() -> None:
    data = form.write(NESTED.input, {"lora": {"pth": "x"}, "more": 1})
    reading = form.read(NESTED.input, data)
    assert reading.field_of(("more",)) == "f:more"
    assert reading.field_of(("lora", "pth")) == "f.6:more"
    names = fields.names_in(fields.fields(NESTED, data))
    assert {"f:more", "f.6:more"} <= {*names}


def test_json_that_is_none_is_a_problem_and_is_not_sent() -> None:
    reading = form.read(NESTED.input, {"f.5:rows": "1", "f.5.0": "{broken", "f:more": '{"prompt": "x"}'})
    assert reading.payload == {}
    assert [each.code for each in reading.findings] == ["json", "json"]


def test_sliders_are_for_numbers_that_can_be_set_by_hand() -> None:
    spec = ModelSpec(
        "acme/numbers",
        Object(
            {
                "seed": Property(Integer(minimum=0, maximum=2**31)),
                "steps": Property(Integer(minimum=1, maximum=50)),
                "scale": Property(Number(minimum=0, maximum=1)),
                "free": Property(Number(minimum=0)),
            }
        ),
    )
    sliders = {each.wire: each.slider for each in fields.fields(spec, {})}
    assert sliders["seed"] is None
    assert sliders["free"] is None
    assert sliders["steps"] == fields.Slider("1", "50", "1")
    assert sliders["scale"] == fields.Slider("0", "1", "0.01")
