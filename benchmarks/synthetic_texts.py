"""Made-up titles and descriptions, as long as the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

# Texts are missing, empty, a sentence or a paragraph about as often as on the five real pages.
LENGTHS = ((None, 30), (0, 25), (40, 15), (90, 15), (180, 10), (260, 5))
SUBJECTS = (
    "The reference image",
    "This value",
    "A longer prompt",
    "The first frame",
    "The model",
    "Each output",
    "The seed",
)
VERBS = (
    "controls",
    "steers",
    "limits",
    "is used as a guide for",
    "may change",
    "takes precedence over",
    "is blended with",
)
OBJECTS = (
    "how closely the result follows the text",
    "the motion between frames",
    "latency and price",
    "the look of the background",
    "the framing of the subject",
    "the number of outputs",
    "what is kept from the input",
    'the "detail" of small areas',
)
TAILS = (
    ". ",
    "; higher values make it stronger. ",
    " (recommended: 0.5–0.7). ",
    ", unless `aspect_ratio` says otherwise. ",
    ". Only JPEG and PNG are supported; JPEG is recommended. ",
)


def title(name: str) -> str:
    """The title a page would print over the property `name`."""
    return "Aspect Ratio (W:H)" if "×" in name else name.replace("_", " ").title()


def description(dice: random.Random) -> str | None:
    """A description of realistic length; sometimes empty, sometimes none."""
    length = dice.choices([length for length, _ in LENGTHS], [weight for _, weight in LENGTHS])[0]
    if length is None:
        return None
    text = ""
    while len(text) < length:
        text += f"{dice.choice(SUBJECTS)} {dice.choice(VERBS)} {dice.choice(OBJECTS)}{dice.choice(TAILS)}"
    return text.rstrip()
