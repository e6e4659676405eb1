"""A seeded maker of catalogs of any size whose models look like RunComfy's.

The spread (tasks, properties per model, kinds, enum lengths, share of media and of texts) follows the 55 models of a
real catalog reply and five real API pages; names and texts are made up. The first N models of a seed are the same
for every N, so a catalog of 1,001 is one of 1,000 with one model added.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from .synthetic_properties import example_of, properties_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .synthetic_properties import Json

SEED = 20_261_101
PROVIDERS = 40
TASKS = (
    ("text-to-video", 20),
    ("image-to-video", 13),
    ("reference-to-video", 7),
    ("text-to-image", 9),
    ("image-edit", 6),
    ("text-to-audio", 5),
    ("video-to-video", 4),
    ("first-last-frame-to-video", 3),
)
TIERS = ((), ("480p", "720p"), ("pro", "standard"), ("4K",), ("draft",), ("4b", "9b"), ("1080p",), ("fast",))
STEMS = (
    "lumo",
    "vanta",
    "kiro",
    "seren",
    "pixa",
    "orbi",
    "meru",
    "tavo",
    "noctu",
    "halo",
    "fjor",
    "quanta",
    "riva",
    "zeph",
)
ENDS = (
    "ra",
    "labs",
    "dream",
    "scape",
    "motion",
    "works",
    "ai",
    "vision",
    "light",
    "forge",
    "wave",
    "studio",
    "canvas",
    "x",
)
KINDS = ("image", "video", "flow", "dance", "art", "mini", "turbo", "omni", "edit", "sound", "frame", "v")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticModel:
    """One made-up model: its id, its category, the input schema as its page would print it, and a request body."""

    model_id: str
    category: str
    schema: dict[str, Json]
    example: dict[str, Json]
    price: float


def make(count: int, seed: int = SEED) -> list[SyntheticModel]:
    """The first `count` models of the endless catalog that `seed` stands for."""
    return list(islice(stream(seed), count))


def stream(seed: int = SEED) -> Iterator[SyntheticModel]:
    """Models without end, family by family; no two ids would become the same Python name."""
    dice = random.Random(seed)
    providers = _providers(dice)
    weights = [1 / (rank + 3) for rank in range(len(providers))]
    taken: set[str] = set()
    while True:
        provider = dice.choices(providers, weights)[0]
        for tail, task in _family(dice):
            model_id = f"{provider}/{tail}"
            if (key := _key(model_id)) not in taken:
                taken.add(key)
                yield _model(dice, model_id, task)


def write_schemas(models: Sequence[SyntheticModel], folder: Path) -> None:
    """Write `models` as a schemas folder: per model input.json and example.json, the keys in the page's order."""
    for model in models:
        home = folder / model.model_id
        home.mkdir(parents=True, exist_ok=True)
        (home / "input.json").write_text(_text(model.schema), encoding="utf-8")
        (home / "example.json").write_text(_text(model.example), encoding="utf-8")
    (folder / "output.json").write_text(_text(OUTPUT), encoding="utf-8")


def catalog_reply(models: Sequence[SyntheticModel]) -> dict[str, Json]:
    """`models` in the shape of `GET /v1/models?include_schema=true`."""
    entries: list[Json] = [
        {
            "model_id": model.model_id,
            "display_name": model.model_id.partition("/")[2],
            "description": "",
            "categories": [model.category],
            "kind": "model",
            "base_price_usd": model.price,
            "price_unit": "second" if model.category.endswith("video") else "output",
            "pricing_note": "",
            "input_schema": model.schema,
        }
        for model in models
    ]
    return {"models": entries, "total": len(entries), "limit": len(entries), "offset": 0}


OUTPUT: dict[str, Json] = {
    "type": "object",
    "properties": {
        "image": {"type": "string", "format": "uri", "description": "Single image URL"},
        "video": {"type": "string", "format": "uri", "description": "Single video URL"},
        "images": {"type": "array", "description": "multiple image URLs", "items": {"type": "string", "format": "uri"}},
        "videos": {"type": "array", "description": "multiple video URLs", "items": {"type": "string", "format": "uri"}},
    },
}


def _model(dice: random.Random, model_id: str, task: str) -> SyntheticModel:
    properties, required = properties_for(dice, task)
    schema: dict[str, Json] = {
        "type": "object",
        "title": "Input schema",
        "required": list(required),
        "properties": dict(properties),
    }
    example = {name: example_of(properties[name]) for name in required}
    price = dice.choice((0.01, 0.02, 0.04, 0.05, 0.1, 0.25))
    return SyntheticModel(model_id=model_id, category=task, schema=schema, example=example, price=price)


def _providers(dice: random.Random) -> list[str]:
    """Names of providers, the one with most models first."""
    names: dict[str, None] = {}
    while len(names) < PROVIDERS:
        names[dice.choice(STEMS) + dice.choice(ENDS) + dice.choice(("", "", "-ai", "2", "-" + dice.choice(ENDS)))] = (
            None
        )
    return list(names)


def _family(dice: random.Random) -> list[tuple[str, str]]:
    """What follows the provider in the ids of one family, with the task of each."""
    names = [name for name, _ in TASKS]
    weights = [weight for _, weight in TASKS]
    if dice.random() < 0.01:
        task = dice.choices(names, weights)[0]
        return [(task, task)]
    family = f"{dice.choice(STEMS)}-{dice.choice(KINDS)}-{dice.randint(1, 5)}{dice.choice(('', '.0', '.1', '.5'))}"
    tiers = dice.choice(TIERS)
    tasks = dict.fromkeys(dice.choices(names, weights, k=dice.choice((1, 1, 2, 3, 3, 4))))
    found: list[tuple[str, str]] = []
    for task in tasks:
        if not tiers or tiers == ("draft",):
            found.append((f"{family}/{task}", task))
        found.extend((f"{family}/{task}/{tier}", task) for tier in tiers)
    return found


def _key(model_id: str) -> str:
    """What two ids must not share: the id with all that no identifier keeps made equal."""
    return "".join(character if character.isalnum() or character == "/" else "_" for character in model_id.lower())


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m benchmarks.synthetic 1000 DIR`: write a schemas folder and its catalog reply."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic", description=__doc__)
    parser.add_argument("count", type=int, help="how many models")
    parser.add_argument("folder", type=Path, help="where schemas/ and models.json go")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    models = make(options.count, options.seed)
    write_schemas(models, options.folder / "schemas")
    (options.folder / "models.json").write_text(_text(catalog_reply(models)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
