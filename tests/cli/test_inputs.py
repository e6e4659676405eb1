"""Words become values: typed by the schema, from files, from JSON; what cannot be read says how to write it."""

from __future__ import annotations

import io
import math
import re
import sys
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.cli.errors import CommandError, NoFileError
from runcomfy_client.cli.inputs import read_inputs
from runcomfy_client.errors import InvalidInputError
from runcomfy_client.schema import (
    AnyOf,
    Array,
    Boolean,
    Enum,
    Integer,
    Media,
    ModelSpec,
    Null,
    Number,
    Object,
    Property,
    String,
)

from tests.support.cli import EDIT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Cli

SIZE = Object({"width": Property(Integer()), "height": Property(Integer())}, required=("width", "height"))
SPEC = ModelSpec(
    "acme/all/kinds",
    Object(
        {
            "prompt": Property(String()),
            "seed": Property(Integer()),
            "scale": Property(Number()),
            "loop": Property(Boolean()),
            "duration": Property(Enum((4, 5, 10))),
            "width×height": Property(Enum(("1:1", "16:9")), name="width_height"),
            "image": Property(Media("image")),
            "images": Property(Array(Media("image"))),
            "tags": Property(Array(String())),
            "steps": Property(Array(Integer())),
            "size": Property(AnyOf(Enum(("small", "large")), SIZE)),
            "lora": Property(SIZE),
            "maybe": Property(AnyOf(Integer(), Null())),
            "one_or_more": Property(AnyOf(String(), Array(String()))),
        }
    ),
)


def read(*words: str, base: str | None = None) -> dict[str, object]:
    payload, faults = read_inputs(SPEC.model_id, SPEC, words, base)
    assert not faults
    return payload


@pytest.mark.parametrize(
    ("words", "payload"),
    [
        (["prompt=7"], {"prompt": "7"}),
        (["prompt=a=b"], {"prompt": "a=b"}),
        (["prompt="], {"prompt": ""}),
        (["prompt=@@Image1 walks"], {"prompt": "@Image1 walks"}),
        (["seed=7"], {"seed": 7}),
        (["seed=-1"], {"seed": -1}),
        (["seed=seven"], {"seed": "seven"}),
        (["scale=1e-2"], {"scale": 0.01}),
        (["scale=.5"], {"scale": 0.5}),
        (["scale=+1.e1"], {"scale": 10.0}),
        (["seed=+007"], {"seed": 7}),
        ([f"seed=+{'9' * 5000}"], {"seed": f"+{'9' * 5000}"}),
        (["seed=0x7"], {"seed": "0x7"}),
        (["scale=NaN"], {"scale": "NaN"}),
        (["scale=+inf"], {"scale": "+inf"}),
        (["scale=true"], {"scale": "true"}),
        (["loop=true"], {"loop": True}),
        (["loop=1"], {"loop": "1"}),
        (["duration=5"], {"duration": 5}),
        (["duration=6"], {"duration": 6}),
        (["width_height=16:9"], {"width×height": "16:9"}),
        (["width×height=16:9"], {"width×height": "16:9"}),
        (["image=https://a.example/b.png"], {"image": "https://a.example/b.png"}),
        (["tags=a"], {"tags": ["a"]}),
        (["tags=a", "tags=b"], {"tags": ["a", "b"]}),
        (['tags=["a","b"]'], {"tags": ["a", "b"]}),
        (["tags=[sic]"], {"tags": ["[sic]"]}),
        (["steps=1", "steps=2"], {"steps": [1, 2]}),
        (["tags:=[]"], {"tags": []}),
        (["size=small"], {"size": "small"}),
        (['size={"width":1,"height":2}'], {"size": {"width": 1, "height": 2}}),
        (["size=medium"], {"size": "medium"}),
        (["seed:=null"], {"seed": None}),
        (["maybe=3"], {"maybe": 3}),
        (["maybe=null"], {"maybe": "null"}),
        (["one_or_more=a"], {"one_or_more": "a"}),
        (["one_or_more=a", "one_or_more=b"], {"one_or_more": ["a", "b"]}),
        (["scael=1"], {"scael": "1"}),
    ],
)
def test_words_are_typed_by_the_schema(words: list[str], payload: dict[str, object]) -> None:
    found = read(*words)
    assert found == payload
    # True == 1 in Python, but not on the wire.
    assert [type(value) for value in found.values()] == [type(value) for value in payload.values()]


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["a red fox"], "inputs look like"),
        (["=x"], "inputs look like"),
        (["@-"], "^'-' is not"),
        (["seed=1", "seed=2"], "given 2 times"),
        (["tags=a", "tags:=[]"], "use := once"),
        (["tags:=[a]"], "for plain text write tags=..."),
        (["prompt=@-", "tags=@-"], "only once"),
    ],
)
def test_words_without_a_meaning(words: list[str], cure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    with pytest.raises(CommandError, match=cure):
        read(*words)


def test_nan_is_read_for_the_check_to_name() -> None:
    scale = read("scale:=NaN")["scale"]
    assert isinstance(scale, float)
    assert math.isnan(scale)


def test_files_stand_for_what_the_input_takes(tmp_path: Path) -> None:
    prompt, picture, lora = tmp_path / "prompt.txt", tmp_path / "a.png", tmp_path / "lora.json"
    prompt.write_text("a red fox\nin the snow\n", encoding="utf-8-sig")
    picture.write_bytes(b"pixels")
    lora.write_text('{"width": 1}')
    found = read(f"prompt=@{prompt}", f"images=@{picture}", f"images=@{picture}", f"image=@{picture}", f"lora=@{lora}")
    assert found == {
        "prompt": "a red fox\nin the snow",
        "images": [picture, picture],
        "image": picture,
        "lora": {"width": 1},
    }


def test_a_missing_file_tells_how_to_write_text_that_begins_so() -> None:
    with pytest.raises(NoFileError, match=r"write prompt=@@Image1 walks"):
        read("prompt=@Image1 walks")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CommandError, match="is not UTF-8 text"):
        read(f"prompt=@{tmp_path / 'a.bin'}")


def test_words_go_on_top_of_the_input(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"prompt": "a", "seed": 1}')
    assert read("seed=2", base=f"@{tmp_path / 'in.json'}") == {"prompt": "a", "seed": 2}
    assert read(base='{"seed": 1}') == {"seed": 1}


def test_an_input_that_is_no_json_is_reported() -> None:
    with pytest.raises(InvalidInputError):
        read(base="{seed: 1}")


def test_a_key_that_stands_twice_hides_no_other_error(cli: Cli) -> None:
    answer = cli("run", EDIT, "--input", '{"prompt": "x", "prompt": 5, "scale": NaN}', "image_urls=.", "--json")
    assert answer.code == 65
    assert [(fault["path"], fault["code"]) for fault in answer.json["error"]["report"]["errors"]] == [
        ("/image_urls/0", "media_source"),
        ("/prompt", "duplicate_key"),
        ("/prompt", "type"),
        ("/scale", "not_finite"),
    ]


def test_a_file_that_cannot_be_read_hides_no_other_error(cli: Cli, tmp_path: Path) -> None:
    with (tmp_path / "vast.png").open("wb") as file:
        file.truncate(2 * 1024**3)
    answer = cli("run", EDIT, "image_urls=@vast.png", "scale=7", "--json")
    assert [fault["path"] for fault in answer.json["error"]["report"]["errors"]] == [
        "/image_urls/0",
        "/prompt",
        "/scale",
    ]


def test_a_number_no_json_has_words_for_is_not_advised_to_lose_its_quotes(cli: Cli) -> None:
    answer = cli("run", EDIT, "image_urls=https://a.b/c.png", "prompt=x", "scale=nan")
    assert "expected a number, got the text 'nan'\n" in answer.err


def test_a_misspelt_option_is_no_input(cli: Cli) -> None:
    answer = cli("run", EDIT, "prompt=x", "--no-validate", "--no-downlaod=x", "--dry-run")
    assert answer.code == 2
    assert "--no-download" in answer.err


def test_an_input_that_is_no_object() -> None:
    with pytest.raises(CommandError, match="must be a JSON object"):
        read(base="[1]")


def test_without_a_schema_text_stays_text_and_files_are_media(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"pixels")
    words = ["seed=7", "n:=7", f"image=@{tmp_path / 'a.png'}"]
    payload, faults = read_inputs("new/model", None, words, None)
    assert payload == {"seed": "7", "n": 7, "image": tmp_path / "a.png"}
    assert not faults


FRAMES = ModelSpec(
    "acme/film/frames",
    Object(
        {
            "frames": Property(
                Array(
                    Object({"image-url": Property(Media("image"), name="image_url"), "at": Property(Number())}),
                )
            ),
            "size": Property(SIZE),
            "a.b": Property(Integer()),
        }
    ),
)


@pytest.mark.parametrize(
    ("words", "payload"),
    [
        (["frames[0].at=1", "frames[0].image_url=https://x.example/a"],
         {"frames": [{"at": 1, "image-url": "https://x.example/a"}]}),
        (["frames[0].at=1", "frames[1].at=.5"], {"frames": [{"at": 1}, {"at": 0.5}]}),
        (['frames:=[{"at": 1}, {"at": 2}]', "frames[1].at=3"], {"frames": [{"at": 1}, {"at": 3}]}),
        (["size.width=7", "size.height=8"], {"size": {"width": 7, "height": 8}}),
        (['frames[0]={"at": 4}'], {"frames": [{"at": 4}]}),
        # A property may be called so.
        (["a.b=1"], {"a.b": 1}),
        # What the schema does not know is put where it is named; the check says what is wrong with it.
        (["frames[0].other=1"], {"frames": [{"other": "1"}]}),
        (["a..b=1", "x]=2"], {"a..b": "1", "x]": "2"}),
    ],
)  # fmt: skip
def test_places_inside(words: list[str], payload: dict[str, object]) -> None:
    assert read_inputs(FRAMES.model_id, FRAMES, words, None)[0] == payload


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["frames[1].at=1"], "frames[1].at is given, but frames[0] is not; lists are filled in order"),
        (["size.width=1", "size[0]=1"], "size[0] is given, but size is not a list"),
        (["frames[0].at=1", "frames[0].at=2"], "frames[0].at is given 2 times"),
        (["frames[0].image-url=@none.png"], "no such file"),
    ],
)
def test_places_that_cannot_be(words: list[str], message: str) -> None:
    with pytest.raises((CommandError, NoFileError), match=re.escape(message)):
        read_inputs(FRAMES.model_id, FRAMES, words, None)


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("--prompt", "x"), "prompt=x"),
        (("--prompt=a red fox",), "'prompt=a red fox'"),
        (("--force-single", "--json"), "force_single=VALUE"),
        (("--width_height", "1"), "width_height=1"),
    ],
)
def test_an_input_written_as_an_option_is_shown_as_a_word(cli: Cli, words: tuple[str, ...], cure: str) -> None:
    answer = cli("run", EDIT, *words)
    assert answer.code == 2
    assert f"inputs are written without dashes: {cure}\n" in answer.err


@pytest.mark.parametrize("command", ["run", "balance", "models"])
def test_the_message_about_a_token_on_the_line_says_where_it_belongs(cli: Cli, command: str) -> None:
    answer = cli(command, "--token", "secret-words", "--json")
    assert answer.code == 2
    assert "export RUNCOMFY_API_TOKEN=" in answer.json["error"]["message"]
    assert "secret-words" not in answer.err + answer.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "prompt=x"), "MODEL is missing before 'prompt=x'"),
        (("submit", "prompt=x"), "MODEL is missing before 'prompt=x'"),
        (("run",), "run needs MODEL: model id"),
        (("status",), "status needs REQUEST: request id"),
        (("result",), "result needs a REQUEST, or --all"),
        (("result", "x", "--all"), "result needs a REQUEST, or --all"),
        (("completion",), "completion needs SHELL"),
        (("validate",), "validate needs a payload FILE"),
        (("validate", EDIT), f"validate needs a payload FILE after {EDIT}"),
        (("validate", "plain.json"), 'MODEL is missing: plain.json names no model in "$schema"'),
    ],
)
def test_a_missing_argument_is_named(cli: Cli, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    (tmp_path / "plain.json").write_text('{"prompt": "x"}')
    answer = cli(*words, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "usage")
    assert message in answer.json["error"]["message"]


def test_the_input_may_be_a_yaml_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.yaml").write_text("$schema: x.json\nprompt: no\nimage_urls: [https://a.example/b.png]\n")
    answer = cli("run", EDIT, "-i", "@in.yaml", "scale=0.4", "--dry-run", "--json")
    assert answer.json["request"]["body"] == {
        "prompt": "no",
        "image_urls": ["https://a.example/b.png"],
        "scale": 0.4,
    }
    (tmp_path / "in.yaml").write_text("prompt: a\n---\nprompt: b\n")
    assert "holds 2" in cli("run", EDIT, "-i", "@in.yaml").err
    (tmp_path / "in.yaml").write_text("prompt: [\n")
    broken = cli("run", EDIT, "-i", "@in.yaml", "--json")
    assert (broken.code, broken.json["error"]["report"]["errors"][0]["code"]) == (65, "yaml")
