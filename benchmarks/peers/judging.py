"""`judging`: microseconds a payload for each judge in each case, as JSON; all in one process, in turns.

The judges are our check, the pydantic class that one would write by hand for the same model, and three validators of
JSON Schema, told that a float is a number. Where a payload is bad, every judge makes all the messages it has.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import fastjsonschema
import jsonschema
import jsonschema_rs
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError
from runcomfy._index import PACKAGE
from runcomfy_client.schema import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Judge = Callable[[dict[str, object]], object]

TEXT_TO_IMAGE = "bytedance/dreamina-4-0/text-to-image"
EDIT = "bytedance/dreamina-4-0/edit"
SEQUENTIAL = "bytedance/seedream-4-0/sequential"
SIZES = (
    "1024x1024(1:1)", "2048x2048(1:1)", "2304x1728(4:3)", "2496x1664(3:2)", "2560x1440(16:9)", "3024x1296(21:9)",
    "4096x4096(1:1)", "4694x3520(4:3)", "4992x3328(3:2)", "5404x3040(16:9)", "6198x2656(21:9)",
)  # fmt: skip
URL = "https://playgrounds-storage-public.runcomfy.net/tools/7002/media-files/usecase5-1-1-input.jpg"
GOOD: dict[str, object] = {
    "prompt": "A paper moon",
    "width×height": "2048x2048(1:1)",
    "scale": 0.5,
    "force_single": False,
}
ONE_ERROR: dict[str, object] = {**GOOD, "scale": 1.01}
THREE_ERRORS: dict[str, object] = {
    "prompt": "A paper moon",
    "width×height": "2048x2048",
    "scale": 1.01,
    "forse_single": True,
}
SIX: dict[str, object] = {
    "text": "Three paper moons",
    "sequential_image_generation_options": 3,
    "image_size": "2560:1440 (16:9)",
    "seed": 7,
    "optimize_prompt_options": "fast",
    "sequential_image_generation": "auto",
}
SIX_WITH_ERRORS: dict[str, object] = {**SIX, "image_size": "2560:1440", "seed": "7", "optimize_prompt_options": "fats"}
# More of each word than any memory of earlier answers holds, and long before the first comes again.
MANY = 4000
FAR_ERRORS: list[dict[str, object]] = [
    {"prompt": "A paper moon", "width×height": f"{number}x2048", "scale": 1 + number / 64, f"force{number}": True}
    for number in range(1, MANY + 1)
]


def misspelt(word: str, chance: random.Random) -> str:
    """A word with one slip: a letter left out, another one, one too many, or two that have changed places."""
    at = chance.randrange(len(word) - 1)
    other = chance.choice("0123456789:x" if word[0].isdigit() else "abcdefghijklmnopqrstuvwxyz_")
    slips = (
        word[:at] + word[at + 1 :],
        word[:at] + other + word[at + 1 :],
        word[:at] + other + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )
    slip = chance.choice(slips)
    return slip if slip != word else misspelt(word, chance)


def new_errors(chance: random.Random, *, at_once: bool) -> Iterator[dict[str, object]]:
    """Payloads as people get them wrong: one error each, or three at once."""
    for number in range(MANY):
        size, key = misspelt(chance.choice(SIZES), chance), misspelt("force_single", chance)
        beyond, text = round(1 + 9 * chance.random(), 2), str(round(chance.random(), 3))
        rest = {name: value for name, value in GOOD.items() if name != "force_single"}
        if at_once:
            yield {**rest, "width×height": size, "scale": beyond, key: True}
        else:
            without = {name: value for name, value in GOOD.items() if name != "prompt"}
            yield (
                {**GOOD, "scale": text},
                {**GOOD, "scale": beyond},
                {**GOOD, "width×height": size},
                {**rest, key: True},
                without,
            )[number % 5]


CASES: dict[str, tuple[str, Sequence[dict[str, object]]]] = {
    "good": (TEXT_TO_IMAGE, [GOOD]),
    "good with URLs": (EDIT, [{**GOOD, "image_urls": [URL, URL]}]),
    "one error": (TEXT_TO_IMAGE, [ONE_ERROR]),
    "three errors": (TEXT_TO_IMAGE, [THREE_ERRORS]),
    "of six keys, good": (SEQUENTIAL, [SIX]),
    "of six keys, three errors": (SEQUENTIAL, [SIX_WITH_ERRORS]),
    "one new error": (TEXT_TO_IMAGE, [*new_errors(random.Random(1), at_once=False)]),
    "three new errors": (TEXT_TO_IMAGE, [*new_errors(random.Random(1), at_once=True)]),
    "three errors, nothing near": (TEXT_TO_IMAGE, FAR_ERRORS),
}
SECONDS = 0.15
ROUNDS = 3


class TextToImage(BaseModel):
    """As one writes it by hand."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(max_length=800)]
    width_height: Annotated[Literal[SIZES] | None, Field(alias="width×height")] = None  # type: ignore[valid-type]  # a tuple
    scale: Annotated[float | None, Field(ge=0, le=1)] = None
    force_single: bool | None = None


class Edit(TextToImage):
    """With media as plain strings, of which any will do."""

    image_urls: Annotated[list[str], Field(min_length=1, max_length=10)]


class EditWithUrls(TextToImage):
    """With media as URLs, as our check has them."""

    image_urls: Annotated[list[HttpUrl], Field(min_length=1, max_length=10)]


BY_HAND: dict[str, type[BaseModel]] = {TEXT_TO_IMAGE: TextToImage, EDIT: Edit}


def published(model_id: str) -> dict[str, Any]:
    """The schema as RunComfy publishes it, with the two things said that its dialect takes for granted."""
    path = Path(__file__).parents[2] / "schemas" / model_id / "input.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").replace('"float"', '"number"'))
    return {**schema, "additionalProperties": False}


def ours(model_id: str) -> Judge:
    """Our check, its messages read."""
    spec = PACKAGE.known_spec(model_id)

    def judge(payload: dict[str, object]) -> object:
        report = check(spec, payload)
        return report.ok or [(problem.path, problem.message) for problem in report.errors]

    return judge


def by_pydantic(model: type[BaseModel]) -> Judge:
    """A hand-written class, its errors read."""

    def judge(payload: dict[str, object]) -> object:
        try:
            return model.model_validate(payload)
        except ValidationError as error:
            return error.errors()

    return judge


def by_jsonschema(schema: dict[str, Any]) -> Judge:
    """jsonschema's iter_errors, to the end."""
    validator = jsonschema.Draft202012Validator(schema)
    return lambda payload: [(error.absolute_path, error.message) for error in validator.iter_errors(payload)]


def by_jsonschema_rs(schema: dict[str, Any]) -> Judge:
    """The same in Rust."""
    validator = jsonschema_rs.Draft202012Validator(schema)
    return lambda payload: [(error.instance_path, error.message) for error in validator.iter_errors(payload)]


def by_fastjsonschema(schema: dict[str, Any]) -> Judge:
    """fastjsonschema stops at the first error."""
    validate = fastjsonschema.compile(schema, use_default=False)

    def judge(payload: dict[str, object]) -> object:
        try:
            return validate(payload)
        except fastjsonschema.JsonSchemaValueException as error:
            return error.message

    return judge


def judges(model_id: str) -> dict[str, Judge]:
    """Who judges payloads of a model."""
    schema = published(model_id)
    found: dict[str, Judge] = {
        "ours": ours(model_id),
        "jsonschema": by_jsonschema(schema),
        "jsonschema-rs": by_jsonschema_rs(schema),
        "fastjsonschema": by_fastjsonschema(schema),
    }
    if model_id in BY_HAND:
        found["pydantic"] = by_pydantic(BY_HAND[model_id])
    if model_id == EDIT:
        found["pydantic, URLs"] = by_pydantic(EditWithUrls)
    return found


def microseconds(judge: Judge, payloads: Sequence[dict[str, object]]) -> float:
    """Processor time for one payload."""
    endless: Iterator[dict[str, object]] = itertools.cycle(payloads)
    for payload in itertools.islice(endless, 20):
        judge(payload)
    count, spent = 0, 0.0
    while spent < SECONDS:
        batch = list(itertools.islice(endless, 200))
        started = time.process_time()
        for payload in batch:
            judge(payload)
        spent += time.process_time() - started
        count += len(batch)
    return spent / count * 1e6


def main() -> int:
    """See the module."""
    found: dict[str, float] = {}
    for case, (model_id, payloads) in CASES.items():
        for name, judge in judges(model_id).items():
            found[f"{case}: {name}"] = min(microseconds(judge, payloads) for _ in range(ROUNDS))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
