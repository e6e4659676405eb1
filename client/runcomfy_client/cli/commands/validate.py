"""`validate`: its options. What it does is in `validation`, which a plain call reaches without loading a parser."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from ..errors import CommandError
from ..options import COMMON, OFFLINE, Common, command, complete_file, complete_model
from ..validation import Request, check_files


@command(
    group=OFFLINE,
    order=4,
    usage="validate [OPTIONS] [MODEL] FILE...",
    example=(
        """echo '{"prompt": "a red fox"}' |""",
        "  {program} validate bytedance/dreamina-4-0/text-to-image -",
    ),
)
def validate(
    model: Annotated[
        str,
        Parameter(
            name="MODEL",
            help="Model id; may be left out where the files name their models.",
            completer=complete_model,
        ),
    ] = "",
    /,
    *file: Annotated[
        str,
        Parameter(
            help="One or more payload files, patterns such as 'payloads/**/*.json', or - for stdin.",
            completer=complete_file,
        ),
    ],
    format: Annotated[  # the option's own name
        Literal["text", "json", "junit", "github"], Parameter(help="The form of the report; --json is short for json.")
    ] = "text",
    jsonl: Annotated[bool, Parameter(help="Each line is a payload; so are *.jsonl and *.ndjson.")] = False,
    probe: Annotated[bool, Parameter(help="Also look at media behind URLs (their first bytes).")] = False,
    quiet: Annotated[bool, Parameter(alias="-q", help="Print problems only.")] = False,
    common: Common = COMMON,
) -> int:
    """Check payload files against models' schemas, without sending anything."""
    if not model:
        raise CommandError("validate needs a payload FILE, or - for standard input")
    if common.json and format not in ("text", "json"):
        raise CommandError(f"--json and --format {format} exclude each other")
    words = tuple("-" if word == "@-" else word for word in (model, *file))
    return check_files(Request(words, form="json" if common.json else format, jsonl=jsonl, probe=probe, quiet=quiet))
