"""Names as the design gives them, and the corners where a rule is subtle."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from runcomfy_codegen.diagnostics.characters import all_visible, is_visible
from runcomfy_codegen.naming import reserved
from runcomfy_codegen.naming.identifiers import class_name, is_python_name, python_name
from runcomfy_codegen.naming.lock import Lock
from runcomfy_codegen.naming.model import input_class
from runcomfy_codegen.naming.names import model_names
from runcomfy_codegen.reading.store import ModelId, model_id_error
from runcomfy_codegen.rendering.literals import docstring, literal, prose, string

IDS = {
    "bytedance/dreamina-4-0/text-to-image": ("bytedance.dreamina_4_0.text_to_image", "TextToImageInput"),
    "blackforestlabs/flux-1-kontext/pro/edit": ("blackforestlabs.flux_1_kontext.pro_edit", "ProEditInput"),
    "kling/kling-video-o3/4K/image-to-video": (
        "kling.kling_video_o3.v4k_image_to_video",
        "V4kImageToVideoInput",
    ),
    "bytedance/seedance-2.5/image-to-video/1080p": (
        "bytedance.seedance_2_5.image_to_video_1080p",
        "ImageToVideo1080pInput",
    ),
    "acme/poster-1": ("acme.poster_1", "Poster1Input"),
    "catalog/job/submit": ("catalog_.job.submit", "SubmitInput"),
    "import/class/def": ("import_.class_.def_", "DefInput"),
    "x/list/str": ("x.list_.str_", "StrInput"),
}


@pytest.mark.parametrize("model_id", IDS)
def test_models(model_id: str) -> None:
    assert model_id_error(model_id) is None
    names, faults = model_names([ModelId(model_id)], Lock())
    assert not faults
    made = names[ModelId(model_id)]
    assert (made.dotted, input_class(made)) == IDS[model_id]


NO_IDS = ["", "one", "/a/b", "a/b/", "a//b", "a/../b", "../a/b", "a/.", "a/.hidden", "a/b.", "a/b c", "a/b\\c", "a/b\0"]
NO_IDS += ["a/b\n", "C:/a/b", "a/-b", "a/é", "a/input.json", "a/Patch.JSON", "a/names.json", "a/%2e%2e/b", "~/a"]


@pytest.mark.parametrize("model_id", [*NO_IDS, "a/" + "b" * 200])
def test_no_model_ids(model_id: str) -> None:
    assert model_id_error(model_id)


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("prompt", "prompt"),
        ("width×height", "width_height"),
        ("143_image", "field_143_image"),
        ("num-steps", "num_steps"),
        ("NumSteps", "numsteps"),
        ("--a--b--", "a_b"),
        ("class", "class_"),
        ("model_dump", "model_dump_"),
        ("options", "options_"),
        ("list", "list_"),
        ("type", "type"),
        ("__class__", "class_"),
        ("\u212a", None),  # the Kelvin sign becomes k by str.lower, and may not
        ("İd", "d"),
        ("宽度", None),
        ("", None),
        ("_", None),
    ],
)
def test_properties(wire: str, name: str | None) -> None:
    assert python_name(wire, "field_", reserved.PROPERTIES) == name


@given(st.text())
def test_a_name_is_an_ascii_identifier_or_none(text: str) -> None:
    name = python_name(text, "field_", reserved.PROPERTIES)
    if name is not None:
        assert name.isascii()
        assert name.isidentifier()
        assert is_python_name(name)
        assert name not in reserved.PROPERTIES


def test_a_digit_after_a_digit_keeps_its_distance() -> None:
    assert class_name("dreamina_4_0") == "Dreamina4_0"
    assert class_name("v4k_a", "lora", suffix="Input") == "V4kALoraInput"


@given(st.text() | st.text(alphabet="\"'\\{}\n\t\u2028x "))
def test_text_in_code_is_the_text(text: str) -> None:
    for expression in (string(text), literal({"a": [text, {text: 1.5}]})):
        assert all_visible(expression)
    assert eval(string(text)) == text  # noqa: S307 - that it evaluates to the text is what is tested
    assert eval(literal([text])) == [text]  # noqa: S307


def test_what_is_visible_does_not_depend_on_the_edition_of_unicode() -> None:
    # Assigned in Unicode 15, 15.1 and 16, and not at all.
    assert all(map(is_visible, "\U0001fae8\U0002ebf0\U0001fae9\U0003fffd"))
    assert not any(map(is_visible, "\0\t\n\x7f\x85\xa0\xad\u200b\u2028\u202e\ud800\ue000\ufeff"))


@given(st.lists(st.text() | st.text(alphabet="\"'\\{}\n\t\u2028x "), min_size=1, max_size=4))
@example(['"""'])
@example(['\\"""', '""""'])
@example(['"""', '\\"\\"\\"'])
def test_prose_in_a_docstring_is_the_prose(texts: list[str]) -> None:
    lines = [prose(text) for text in texts]
    written = docstring(lines, 4)
    found = eval(written)  # noqa: S307
    assert [line.strip() for line in found.strip().split("\n")] == "\n".join(lines).strip().split("\n")
