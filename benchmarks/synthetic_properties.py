"""The properties of a made-up model: which it has, and each as RunComfy's pages print it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from .synthetic_texts import description, title

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Property: TypeAlias = dict[str, Json]

# How many properties a model has, as often as in the catalog reply.
SIZES = ((2, 1), (3, 4), (4, 13), (5, 6), (6, 10), (7, 9), (8, 6), (9, 4), (11, 1), (15, 2))
RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "3:2", "2:3")
SIZES_IN_PIXELS = (
    "1024x1024(1:1)", "2048x2048(1:1)", "2304x1728(4:3)", "2496x1664(3:2)", "2560x1440(16:9)", "3024x1296(21:9)",
    "4096x4096(1:1)", "4694x3520(4:3)", "4992x3328(3:2)", "5404x3040(16:9)", "6198x2656(21:9)",
)  # fmt: skip
MEDIA_OF_TASK: dict[str, tuple[tuple[str, str, bool], ...]] = {
    # property, media kind, required
    "image-to-video": (("image_url", "image", True),),
    "reference-to-video": (("images", "images", True), ("videos", "videos", False), ("audios", "audios", False)),
    "image-edit": (("image_urls", "images", True),),
    "video-to-video": (("video_url", "video", True), ("images", "images", False)),
    "first-last-frame-to-video": (("start_image_url", "image", True), ("end_image_url", "image", True)),
}
RULES = (
    ("file_size_mb<=", 15, "Each image file must be ≤ 15 MB."),
    ("width_pixels<=", 4096, "Maximum resolution is 4096x4096."),
    ("height_pixels<=", 4096, "Maximum resolution is 4096x4096."),
    ("width/height≥", "0.33", "The input image aspect ratio must be within [1/3, 3]."),
    ("width/height≤", "3", "The input image aspect ratio must be within [1/3, 3]."),
)


def properties_for(dice: random.Random, task: str) -> tuple[dict[str, Property], tuple[str, ...]]:
    """The properties of one model of `task` in page order, and the names of the required ones."""
    size = dice.choices([size for size, _ in SIZES], [weight for _, weight in SIZES])[0]
    found: dict[str, Property] = {}
    required: list[str] = []
    for name, kind, needed in MEDIA_OF_TASK.get(task, ()):
        found[name] = _media(dice, name, kind)
        if needed:
            required.append(name)
    prompt = "tags" if task.endswith("audio") else "prompt"
    found[prompt] = _text(dice, prompt)
    required.append(prompt)
    names = [name for name, (_, weight) in COMMON.items() for _ in range(weight)]
    while len(found) < size:
        name = dice.choice(names)
        if name not in found:
            found[name] = COMMON[name][0](dice, name)
    return found, tuple(required)


def example_of(property_: Property) -> Json:
    """A value the property takes, for a page's request body."""
    if "default" in property_:
        return property_["default"]
    return ["https://example.com/a.png"] if property_["type"] == "array" else "https://example.com/a.png"


def _headed(dice: random.Random, name: str, rest: Property) -> Property:
    """Title and description first, as the pages print them."""
    head: Property = {"title": title(name)}
    if (words := description(dice)) is not None:
        head["description"] = words
    return head | rest


def _media(dice: random.Random, name: str, kind: str) -> Property:
    single = kind.removesuffix("s")
    if kind == single:
        body: Property = {"type": "string", "format": f"{kind}_uri"}
    elif dice.random() < 0.5:
        body = {"type": "array", "items": {"type": "string", "format": f"{single}_uri"}}
    else:
        body = {"type": "array", "format": f"{kind}_uris" if kind == single else f"{single}_uris"}
    if dice.random() < 0.6:
        body["validations"] = [
            {"validation_rule": rule, "validation_value": value, "validation_error": error}
            for rule, value, error in (RULES if single == "image" else RULES[:1])
        ]
    if kind != single:
        body |= {"maxItems": dice.choice((3, 4, 7, 10, 16)), "minItems": 1}
    return _headed(dice, name, body)


def _text(dice: random.Random, name: str) -> Property:
    body: Property = {"type": "string", "default": description(dice) or "A lantern over a quiet harbour at night"}
    if dice.random() < 0.4:
        body["maxLength"] = dice.choice((800, 2000, 2500, 5000))
    return _headed(dice, name, body)


def _words(dice: random.Random, name: str) -> Property:
    return _headed(dice, name, {"type": "string", "default": ""})


def _boolean(dice: random.Random, name: str) -> Property:
    return _headed(dice, name, {"type": "boolean", "default": dice.random() < 0.5})


def _choice(*choices: tuple[str, ...]) -> Callable[[random.Random, str], Property]:
    def make(dice: random.Random, name: str) -> Property:
        values = dice.choice(choices)
        kept = list(values[: max(1, dice.randint(len(values) // 2, len(values)))])
        return _headed(dice, name, {"type": "string", "enum": cast("list[Json]", kept), "default": dice.choice(kept)})

    return make


def _integer(low: int, high: int) -> Callable[[random.Random, str], Property]:
    def make(dice: random.Random, name: str) -> Property:
        return _headed(
            dice, name, {"type": "integer", "maximum": high, "minimum": low, "default": min(high, max(low, 5))}
        )

    return make


def _float(low: float, high: float) -> Callable[[random.Random, str], Property]:
    def make(dice: random.Random, name: str) -> Property:
        return _headed(dice, name, {"type": "float", "minimum": low, "maximum": high, "default": (low + high) / 2})

    return make


def _seconds(dice: random.Random, name: str) -> Property:
    if dice.random() < 0.25:
        return _headed(dice, name, {"type": "integer", "enum": [5, 10, 15], "default": 5})
    return _integer(dice.choice((3, 4, 5)), dice.choice((10, 12, 15)))(dice, name)


def _lora(dice: random.Random, name: str) -> Property:
    """`lora` is an object, `loras` an array of objects."""
    entry: Property = {
        "type": "object",
        "properties": {
            "path": {"title": "Path", "type": "string", "description": "Asset id or URL of the LoRA."},
            "scale": {"title": "Scale", "type": "float", "minimum": 0, "maximum": 2, "default": 1},
        },
        "required": ["path"],
    }
    return _headed(dice, name, {"type": "array", "items": entry, "maxItems": 3} if name == "loras" else entry)


# What models of every task may have: its maker, and how often it is met.
COMMON: dict[str, tuple[Callable[[random.Random, str], Property], int]] = {
    "duration": (_seconds, 43),
    "aspect_ratio": (_choice(RATIOS, RATIOS[:2], RATIOS[:3]), 29),
    "generate_audio": (_boolean, 23),
    "resolution": (_choice(("720p", "1080p", "480p", "4k"), ("1K", "2K", "4K")), 16),
    "seed": (_integer(-1, 2_147_483_647), 13),
    "shot_type": (_choice(("single", "multi", "customize")), 13),
    "sound": (_boolean, 9),
    "safety_tolerance": (_integer(0, 5), 7),
    "watermark": (_boolean, 6),
    "cfg_scale": (_float(0, 1), 6),
    "negative_prompt": (_words, 6),
    "output_format": (_choice(("png", "jpeg", "webp")), 4),
    "lyrics": (_words, 4),
    "enable_web_search": (_boolean, 3),
    "width×height": (_choice(SIZES_IN_PIXELS), 3),
    "width": (_integer(256, 4096), 2),
    "height": (_integer(256, 4096), 2),
    "steps": (_integer(1, 50), 2),
    "guidance_scale": (_float(1, 20), 3),
    "strength": (_float(0, 1), 2),
    "num_images": (_integer(1, 8), 2),
    "voice": (_choice(("alloy", "ember", "juniper", "sol", "vale", "breeze", "cove", "maple"), ("male", "female")), 2),
    "speed": (_float(0.5, 2), 1),
    "keep_original_sound": (_boolean, 2),
    "end_image": (lambda dice, name: _media(dice, name, "image"), 3),
    "reference_audio": (lambda dice, name: _media(dice, name, "audio"), 2),
    "143_image": (lambda dice, name: _media(dice, name, "image"), 1),
    "lora": (_lora, 1),
    "loras": (_lora, 1),
}
