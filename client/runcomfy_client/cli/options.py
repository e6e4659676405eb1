"""The options and arguments that commands share, each said once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter

from .complete import complete_input, complete_model, complete_request

_COMMON = Group("Common options", sort_key=90)

ModelId = Annotated[str, Parameter(help="Model id, such as bytedance/dreamina-4-0/edit.", completer=complete_model)]
RequestId = Annotated[str, Parameter(help="Request id, as `submit` and `run` print it.", completer=complete_request)]
Inputs = Annotated[
    str,
    Parameter(
        name="KEY=VALUE",
        help="Inputs: key=value (typed by the model's schema; repeat the key for a list), key=@FILE (a media file; "
        "for text inputs the file's text), key:=JSON.",
        completer=complete_input,
    ),
]
Input = Annotated[
    str | None,
    Parameter(
        name="--input",
        alias="-i",
        metavar="JSON",
        help="The input as JSON, @FILE, or - for stdin; KEY=VALUE goes on top of it.",
    ),
]


@Parameter(name="*", group=_COMMON)
@dataclass(frozen=True)
class Common:
    """Options of every command."""

    json: Annotated[bool, Parameter(help="One JSON document on stdout, errors included.")] = False
    base_url: Annotated[
        str | None,
        Parameter(help="The API's address; default: $RUNCOMFY_BASE_URL, else RunComfy's own.", metavar="URL"),
    ] = None
    debug: Annotated[bool, Parameter(help="Show tracebacks and what the client logs.")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Recording:
    """Where submits are recorded."""

    journal: Annotated[
        str | None, Parameter(help="Record the job in this file; default: a file in your state folder.", metavar="FILE")
    ] = None
    no_journal: Annotated[bool, Parameter(help="Record nothing: a lost request id cannot be found again.")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Sending:
    """How a submit is made."""

    no_validate: Annotated[
        bool, Parameter(help="Send unchecked; also for models this client was not generated for.")
    ] = False
    job_key: Annotated[
        str | None,
        Parameter(
            help="Your name for this job: the same key and input bring back the job already paid for.", metavar="KEY"
        ),
    ] = None
    dry_run: Annotated[bool, Parameter(help="Print the request that would be sent, and send nothing.")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Downloading:
    """Where result files go."""

    output_dir: Annotated[
        str, Parameter(alias="-o", help="Folder for the result's files.", show_default=True, metavar="DIR")
    ] = "."
    name: Annotated[
        str,
        Parameter(
            help="How the files are called: {request_id}, {index}, {suffix}, {model}, {job_key}, {date}.",
            show_default=True,
            metavar="TEMPLATE",
        ),
    ] = "{request_id}-{index}{suffix}"
    no_download: Annotated[bool, Parameter(help="Print the files' URLs instead of fetching them.")] = False
