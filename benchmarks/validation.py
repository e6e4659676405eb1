"""What it costs to judge a payload: our check beside pydantic and the validators of JSON Schema."""

from __future__ import annotations

import json
import sys

from .environments import peers, prepare
from .harness import Rounds, Spread, run
from .page import as_text
from .paths import ROOT
from .report import Row, Section, Target

METHOD = """\
One process a round, {rounds} rounds; in each, every judge gets the same payloads, and the best of three spells counts.
The model is dreamina-4-0 (a prompt, an enum of eleven sizes, a bounded number, a boolean; *with URLs*: two images under
five rules each), or, *of six keys*, seedream-4-0: half of the models known to us take that many or more. pydantic is
the class one would write by hand. Where there are errors, all messages are made. *New* errors are ones not met before,
for our check remembers what it said of misspelt words: *one new error* is in turn a text for a number, a number out of
its range, a misspelt size, a misspelt key and a missing prompt; *three new errors* are the middle three at once; *three
errors, nothing near* have words that resemble no known one."""
NOTES = (
    "fastjsonschema stops at the first error; the others find all of them.",
    "With media as plain strings, pydantic does not look at the URLs at all.",
)
PAIRS: tuple[tuple[str, str, float | None], ...] = (
    ("good", "pydantic", 1.0),
    ("good", "jsonschema", None),
    ("good", "jsonschema-rs", None),
    ("good", "fastjsonschema", None),
    ("good with URLs", "pydantic, URLs", 1.0),
    ("good with URLs", "pydantic", None),
    ("good with URLs", "jsonschema", None),
    ("one error", "jsonschema", 0.1),
    ("one error", "pydantic", None),
    ("one error", "jsonschema-rs", None),
    ("three errors", "jsonschema", 0.1),
    ("three errors", "pydantic", None),
    ("of six keys, good", "jsonschema", None),
    ("of six keys, three errors", "jsonschema", 0.1),
    ("of six keys, three errors", "jsonschema-rs", None),
    ("one new error", "jsonschema", 0.1),
    ("one new error", "jsonschema-rs", None),
    ("three new errors", "jsonschema", 0.1),
    ("three new errors", "jsonschema-rs", None),
    ("three errors, nothing near", "jsonschema", None),
)


def measure(*, quick: bool) -> Section:
    """Measure validation."""
    rounds = 3 if quick else 7
    found = Rounds()
    for _ in range(rounds):
        cost = run([peers(), "-m", "benchmarks.peers.judging"], cwd=ROOT)
        for name, value in json.loads(cost.stdout).items():
            found.values.setdefault(name, []).append(value)
    return Section(
        name="validation",
        title="Judging payloads",
        method=METHOD.format(rounds=rounds),
        rows=tuple(_row(found, *pair) for pair in PAIRS),
        notes=NOTES,
    )


def _row(found: Rounds, case: str, peer: str, bound: float | None) -> Row:
    ours, theirs = f"{case}: ours", f"{case}: {peer}"
    cost: Spread = found.cost(ours)
    return Row(
        what=f"a payload, {case}",
        ours=cost,
        unit="µs",
        peer=peer,
        theirs=found.cost(theirs),
        ratio=found.ratio(ours, theirs),
        target=Target(bound) if bound else None,
    )


if __name__ == "__main__":
    prepare()
    print(as_text(measure(quick="--quick" in sys.argv)))
