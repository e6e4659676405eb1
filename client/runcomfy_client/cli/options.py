"""What commands share: how they are declared, their common options and arguments, and what TAB offers for these."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import Group, Parameter

from ..describe.parameters import parameters
from ..identifiers import request_id_in
from .errors import CommandError
from .package import existing_journal, open_journal, package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cyclopts.completion import CompletionContext

    from ..journal.base import JournalEntry

OFFLINE = Group("Look, offline", sort_key=1)
JOBS = Group("Jobs", sort_key=2)
HELP = Group("Account, shell and help", sort_key=3)
_COMMON = Group("Common options", sort_key=90)

Function = TypeVar("Function", bound="Callable[..., int]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as the app shows it; in ``example`` and ``usage`` {program} stands for how the user calls it.

    ``parent`` is the command that it is a part of, such as batch of `batch run`; empty for most.
    """

    name: str
    function: Callable[..., int]
    group: Group
    order: int
    example: tuple[str, ...]
    usage: str
    parent: str = ""


# By name; a module of `commands` adds its own when it is imported.
COMMANDS: dict[str, Command] = {}


def command(
    *, group: Group, order: int, example: tuple[str, ...], usage: str = "", parent: str = ""
) -> Callable[[Function], Function]:
    """Declare a function as the command of its name; its docstring is the help."""

    def declare(function: Function) -> Function:
        name = function.__name__
        COMMANDS[f"{parent} {name}".strip()] = Command(
            name=name, function=function, group=group, order=order, example=example, usage=usage, parent=parent
        )
        return function

    return declare


def check_request_id(text: str, name: str = "REQUEST") -> str:
    """The text. Raises CommandError if it is not a request id."""
    if request_id_in({"request_id": text}) is None:
        raise CommandError(f"{name} is an id as `submit` and `run` print it; {text!r} is none")
    return text


def check_recording(recording: Recording) -> None:
    """Raises CommandError for a journal that is both named and left out."""
    if recording.journal is not None and recording.no_journal:
        raise CommandError("--journal and --no-journal exclude each other")


def check_seconds(timeout: float | None) -> None:
    """Raises CommandError for a --timeout that is not a valid time."""
    if timeout is not None and not timeout >= 0:  # NaN is not
        raise CommandError(f"--timeout takes seconds, 0 or more, not {timeout:g}")


# What TAB offers: model ids, the inputs of the model at hand and their values, files, jobs on record.


def complete_model(context: CompletionContext) -> list[str]:
    """The ids of the package's models."""
    return package().model_ids()


def complete_request(context: CompletionContext) -> list[tuple[str, str]]:
    """The jobs of the journal that were not seen to end."""
    return [(entry.request_id, entry.model_id) for entry in _pending() if entry.request_id]


def complete_unsure(context: CompletionContext) -> list[tuple[str, str]]:
    """The submits with an unknown outcome, by their job key if they have one."""
    unsure = [entry for entry in _pending() if entry.state == "unsure"]
    return [(entry.job_key or entry.submission_id, entry.model_id) for entry in unsure]


def complete_file(context: CompletionContext) -> list[str]:
    """Files and folders."""
    return list(_paths(context.incomplete))


def complete_input(context: CompletionContext) -> list[tuple[str, str]]:
    """``key=`` while there is no "=", then the values that key can have."""
    model_id = context["model"].raw
    spec = package().spec(model_id) if model_id else None
    if spec is None:
        return []
    key, equals, text = context.incomplete.partition("=")
    inputs = parameters(spec)
    if not equals:
        return [
            (f"{parameter.name}=", f"{parameter.type}{', required' if parameter.required else ''}")
            for parameter in inputs
        ]
    for parameter in inputs:
        if key in (parameter.name, parameter.wire_name):
            if text.startswith("@"):
                return [(f"{key}=@{path}", "") for path in _paths(text[1:])]
            values = parameter.choices or ((True, False) if parameter.type == "boolean" else ())
            return [(f"{key}={str(value).lower() if isinstance(value, bool) else value}", "") for value in values]
    return []


def _pending() -> list[JournalEntry]:
    file = existing_journal(None)
    if not isinstance(file, Path):  # a database may not answer for long
        return []
    with open_journal(file) as journal:
        return journal.pending()


def _paths(begin: str) -> Iterator[str]:
    folder, slash, start = begin.rpartition("/")
    try:
        paths = sorted(Path(folder + slash or ".").expanduser().iterdir())
    except OSError:
        return
    for path in paths:
        if path.name.startswith(start) and (start.startswith(".") or not path.name.startswith(".")):
            yield f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}"


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
JournalFile = Annotated[
    str | None,
    Parameter(
        help="The journal; default: $RUNCOMFY_JOURNAL, a file or postgresql://..., else a file in your state folder.",
        metavar="FILE",
    ),
]
Timeout = Annotated[float | None, Parameter(help="Longest wait for the result, in seconds.", metavar="S")]


@Parameter(name="*", group=_COMMON)
@dataclass(frozen=True)
class Common:
    """Options of every command."""

    json: Annotated[bool, Parameter(help="One JSON document on stdout, errors included.")] = False
    base_url: Annotated[
        str | None,
        Parameter(help="The API's address; default: $RUNCOMFY_BASE_URL, else RunComfy's own.", metavar="URL"),
    ] = None
    # Taken off the line before it is parsed; here for the help.
    package: Annotated[
        str | None,
        Parameter(
            help="The generated package with the models; default: $RUNCOMFY_PACKAGE, else package in [tool.runcomfy] "
            "of pyproject.toml, else runcomfy.",
            metavar="NAME",
        ),
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
class Reading(Recording):
    """Where a job that was submitted before is on record."""

    journal: Annotated[
        str | None,
        Parameter(help="The journal the job is on record in; default: the file in your state folder.", metavar="FILE"),
    ] = None
    no_journal: Annotated[bool, Parameter(help="Do not use the journal: neither read it nor write it.")] = False


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
            help="Your name for this job: the same key and input return the job already paid for.", metavar="KEY"
        ),
    ] = None
    extra_input: Annotated[
        str | None,
        Parameter(
            help="Keys that the schema does not list, such as a LoRA, as JSON or @FILE: sent unchecked beside the "
            "input, which is checked as ever.",
            metavar="JSON",
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


# Defaults of the commands' parameters.
COMMON = Common()
RECORDING = Recording()
READING = Reading()
SENDING = Sending()
DOWNLOADING = Downloading()
