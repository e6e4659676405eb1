"""A model of the tests' own that holds every kind of node, with a class bound to it."""

from __future__ import annotations

import io
from typing import Annotated, Literal

import pytest
from PIL import Image
from pydantic import Field
from runcomfy_client.media import ImageInput  # noqa: TC002  # pydantic reads it at run time
from runcomfy_client.models import InputModel, InputObject, MediaOutput, bind
from runcomfy_client.schema import (
    AnyOf,
    AnyValue,
    Array,
    Boolean,
    Enum,
    Integer,
    Media,
    MediaRule,
    ModelSpec,
    Null,
    Number,
    Object,
    OneOf,
    Property,
    String,
)

LORA = Object(
    {"path": Property(String()), "scale": Property(Number(minimum=0, maximum=4), default=1)}, required=("path",)
)
SIZE = Object({"width": Property(Integer(minimum=64)), "height": Property(Integer(minimum=64))}, required=("width",))
INPUT = Object(
    {
        "image_urls": Property(
            Array(
                Media("image"),
                min_items=1,
                max_items=3,
                rules=(
                    MediaRule("file_size_mb", "<=", 1, "Each image must be 1 MB or less."),
                    MediaRule("width_pixels", "<=", 4096, "Maximum resolution is 4096x4096."),
                    MediaRule("width/height", ">=", 0.33, "The aspect ratio must be within [1/3, 3]."),
                ),
            )
        ),
        "prompt": Property(String(max_length=20)),
        "width×height": Property(Enum(("1024x1024(1:1)", "2048x2048(1:1)", "2560x1440(16:9)")), name="width_height"),
        "duration": Property(Enum((5, 10))),
        "scale": Property(Number(minimum=0, maximum=1), default=0.5),
        "seed": Property(Integer(minimum=-1)),
        "sound": Property(Boolean()),
        "loras": Property(Array(LORA, max_items=2)),
        "size": Property(OneOf(Enum(("square", "wide")), SIZE)),
        "note": Property(AnyOf(String(max_length=3), Null())),
        "extra": Property(AnyValue()),
    },
    required=("image_urls", "prompt"),
)
MODEL = ModelSpec("acme/one/edit", INPUT, input_class="EditInput")


Ratio = Literal["1024x1024(1:1)", "2048x2048(1:1)", "2560x1440(16:9)"]


class LoraInput(InputObject):
    path: str
    scale: float | None = None


class SizeInput(InputObject):
    width: int
    height: int | None = None


class EditInput(InputModel[MediaOutput]):
    image_urls: list[ImageInput]
    prompt: str
    width_height: Annotated[Ratio | None, Field(alias="width×height")] = None
    duration: Literal[5, 10] | None = None
    scale: float | None = None
    seed: int | None = None
    sound: bool | None = None
    loras: list[LoraInput] | None = None
    size: Literal["square", "wide"] | SizeInput | None = None
    note: str | None = None
    extra: object = None


bind(LoraInput, LORA)
bind(SizeInput, SIZE)
bind(EditInput, INPUT)


@pytest.fixture
def spec() -> ModelSpec:
    return MODEL


@pytest.fixture
def edit_input() -> type[EditInput]:
    return EditInput


@pytest.fixture
def lora_input() -> type[LoraInput]:
    return LoraInput


@pytest.fixture
def good() -> dict[str, object]:
    return {"image_urls": ["https://example.com/a.png"], "prompt": "A paper moon"}


@pytest.fixture
def png() -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(packed, "PNG")
    return packed.getvalue()
