"""The command line's table of contents: each command with its help and an example; its work is loaded when called."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Group, Parameter

from .complete import complete_file, complete_unsure
from .exit_codes import CommandError, debug_wanted
from .options import Common, Downloading, Input, Inputs, ModelId, Recording, RequestId, Sending
from .output import console, log_to_stderr

_LOOK = Group("Look, offline", sort_key=1)
_WORK = Group("Jobs", sort_key=2)
_SHELL = Group("Account, shell and help", sort_key=3)


def _version() -> str:
    from importlib.metadata import version

    return version("runcomfy-client")


app = App(
    name="runcomfy-client",
    help="Browse, check and run the models of RunComfy's Model API.",
    help_epilogue=(
        "The token is read from RUNCOMFY_API_TOKEN, RUNCOMFY_API_KEY or RUNCOMFY_TOKEN, else from the official command "
        "line's login; never from an argument, which other users of the machine could see."
    ),
    help_format="plaintext",
    version=_version,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=(), show_default=False),
)
app["--help"].group = app["--version"].group = _SHELL
# cyclopts takes a bare "-" for an option. This says the same in the way inputs name files.
STDIN = "@-"
_SUBMIT = "id=$(runcomfy-client submit bytedance/dreamina-4-0/text-to-image prompt=fox)"
_DEFAULT = Common()
_RECORDING = Recording()
_SENDING = Sending()
_DOWNLOADING = Downloading()


def run_app(argv: list[str]) -> int:
    """Parse and run; a line that cannot be parsed is a usage error, told like every other."""
    log_to_stderr(debug=debug_wanted(argv))
    # Our console reports a reader that left (`--help | head`) as such; only help is written by cyclopts itself.
    helped = console() if not argv or "--help" in argv or "-h" in argv else None
    words = [STDIN if word == "-" else word for word in argv]
    try:
        code = app(words, console=helped, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        line = " ".join(["runcomfy-client", *(error.command_chain or ()), "--help"])
        raise CommandError(f"{error}\nSee: {line}") from error
    return code if isinstance(code, int) else 0


def _prove_seconds(timeout: float | None) -> None:
    if timeout is not None and not timeout >= 0:  # NaN is not
        raise CommandError(f"--timeout takes seconds, 0 or more, not {timeout:g}")


def _example(*lines: str) -> str:
    return "\n".join(["Example:", *[f"  {line}" for line in lines]])


@app.command(group=_LOOK, sort_key=1, help_epilogue=_example("runcomfy-client models text-to-image"))
def models(*text: Annotated[str, Parameter(help="Words that the id must hold.")], common: Common = _DEFAULT) -> int:
    """List the models this client was generated for."""
    from .commands.models import list_models

    return list_models(text, common)


@app.command(group=_LOOK, sort_key=2, help_epilogue=_example("runcomfy-client show bytedance/dreamina-4-0/edit"))
def show(model: ModelId, /, *, common: Common = _DEFAULT) -> int:
    """Show what a model takes, and ready lines to call it."""
    from .commands.show import show_model

    return show_model(model, common)


@app.command(
    group=_LOOK,
    sort_key=3,
    usage="Usage: runcomfy-client validate [OPTIONS] MODEL FILE...",
    help_epilogue=_example(
        """echo '{"prompt": "a red fox"}' |""",
        "  runcomfy-client validate bytedance/dreamina-4-0/text-to-image -",
    ),
)
def validate(
    model: ModelId,
    /,
    *file: Annotated[
        str,
        Parameter(
            help="Payload files, patterns such as 'payloads/**/*.json', or - for stdin.", completer=complete_file
        ),
    ],
    format: Annotated[  # the option's own name
        Literal["text", "json", "junit", "github"], Parameter(help="How to tell; --json is the same as json.")
    ] = "text",
    jsonl: Annotated[bool, Parameter(help="Each line is a payload; so are *.jsonl and *.ndjson.")] = False,
    probe: Annotated[bool, Parameter(help="Also look at media behind URLs (their first bytes).")] = False,
    common: Common = _DEFAULT,
) -> int:
    """Check payload files against a model's schema, without sending anything."""
    from .light import Asked
    from .validate import validate_files

    if not file:
        raise CommandError("validate needs a payload FILE, or - for standard input")
    if common.json and format not in ("text", "json"):
        raise CommandError(f"--json and --format {format} exclude each other")
    files = tuple("-" if word == STDIN else word for word in file)
    return validate_files(Asked(model, files, form="json" if common.json else format, jsonl=jsonl, probe=probe))


@app.command(
    group=_WORK,
    sort_key=4,
    usage="Usage: runcomfy-client run [OPTIONS] MODEL [KEY=VALUE...]",
    help_epilogue=_example(
        "runcomfy-client run bytedance/dreamina-4-0/text-to-image \\", "  prompt='a red fox' scale=0.4 --output-dir out"
    ),
)
def run(
    model: ModelId,
    /,
    *inputs: Inputs,
    input: Input = None,
    timeout: Annotated[
        float | None, Parameter(help="Seconds to wait for the result; the job runs on after that.", metavar="S")
    ] = None,
    downloading: Downloading = _DOWNLOADING,
    sending: Sending = _SENDING,
    recording: Recording = _RECORDING,
    common: Common = _DEFAULT,
) -> int:
    """Submit a job, wait for it, fetch its files. Ctrl-C cancels it while it is queued."""
    from .commands.run import run_job

    _prove_seconds(timeout)
    return run_job(model, inputs, input, timeout, downloading, sending, recording, common)


@app.command(
    group=_WORK,
    sort_key=5,
    usage="Usage: runcomfy-client submit [OPTIONS] MODEL [KEY=VALUE...]",
    help_epilogue=_example("runcomfy-client submit bytedance/dreamina-4-0/text-to-image \\", "  prompt='a red fox'"),
)
def submit(
    model: ModelId,
    /,
    *inputs: Inputs,
    input: Input = None,
    sending: Sending = _SENDING,
    recording: Recording = _RECORDING,
    common: Common = _DEFAULT,
) -> int:
    """Submit a job and print its request id, without waiting."""
    from .commands.run import submit_job

    return submit_job(model, inputs, input, sending, recording, common)


@app.command(group=_WORK, sort_key=6, help_epilogue=_example(_SUBMIT, 'runcomfy-client status "$id"'))
def status(request: RequestId, /, *, recording: Recording = _RECORDING, common: Common = _DEFAULT) -> int:
    """Say where a job stands."""
    from .commands.jobs import show_status

    return show_status(request, recording, common)


@app.command(
    group=_WORK, sort_key=7, help_epilogue=_example(_SUBMIT, 'runcomfy-client result "$id" --wait --output-dir out')
)
def result(
    request: RequestId,
    /,
    *,
    wait: Annotated[bool, Parameter(help="Wait until the job is over; else its present outcome counts.")] = False,
    timeout: Annotated[float | None, Parameter(help="Seconds to wait at most, with --wait.", metavar="S")] = None,
    downloading: Downloading = _DOWNLOADING,
    recording: Recording = _RECORDING,
    common: Common = _DEFAULT,
) -> int:
    """Bring the result of a job submitted before, and fetch its files."""
    from .commands.jobs import bring_result

    _prove_seconds(timeout)
    if timeout is not None and not wait:
        raise CommandError("--timeout says how long to --wait; without it nothing is waited for")
    return bring_result(request, wait, timeout, downloading, recording, common)


@app.command(group=_WORK, sort_key=8, help_epilogue=_example(_SUBMIT, 'runcomfy-client cancel "$id"'))
def cancel(request: RequestId, /, *, recording: Recording = _RECORDING, common: Common = _DEFAULT) -> int:
    """Cancel a job that is still queued; what runs already cannot be cancelled."""
    from .commands.jobs import cancel_job

    return cancel_job(request, recording, common)


@app.command(group=_WORK, sort_key=9, help_epilogue=_example("runcomfy-client pending"))
def pending(
    *,
    journal: Annotated[
        str | None, Parameter(help="The journal to read; default: the file in your state folder.", metavar="FILE")
    ] = None,
    common: Common = _DEFAULT,
) -> int:
    """List the jobs on record that were not seen to end, and submits whose fate is unsure."""
    from .commands.jobs import list_pending

    return list_pending(journal, common)


@app.command(
    group=_WORK,
    sort_key=9.5,
    help_epilogue=_example("runcomfy-client settle scene-12 --not-started"),
)
def settle(
    name: Annotated[str, Parameter(help="Submission id or job key, as `pending` shows it.", completer=complete_unsure)],
    /,
    *,
    request_id: Annotated[str | None, Parameter(help="It was started, and this is its job.", metavar="ID")] = None,
    not_started: Annotated[bool, Parameter(help="It was not started; its job key is free again.")] = False,
    release: Annotated[bool, Parameter(help="Free the job key: its next submit starts, and pays, a new job.")] = False,
    journal: Annotated[
        str | None, Parameter(help="The journal to change; default: the file in your state folder.", metavar="FILE")
    ] = None,
    common: Common = _DEFAULT,
) -> int:
    """Say what became of an unsure submit, once you have looked on RunComfy's pages."""
    from .commands.jobs import settle_submit

    if [request_id is not None, not_started, release].count(True) != 1:
        raise CommandError("settle needs one of --request-id ID, --not-started and --release")
    return settle_submit(name, request_id, release, journal, common)


@app.command(group=_SHELL, sort_key=10, help_epilogue=_example("runcomfy-client balance"))
def balance(*, common: Common = _DEFAULT) -> int:
    """Say what the account has left; costs nothing, so it is also the check of the token."""
    from .commands.jobs import show_balance

    return show_balance(common)


@app.command(group=_SHELL, sort_key=11, help_epilogue=_example('eval "$(runcomfy-client completion bash)"'))
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Parameter(help="The shell it is for.")],
    /,
    *,
    common: Common = _DEFAULT,
) -> int:
    """Print the script that teaches a shell to complete commands, model ids, inputs and their values."""
    from .commands.completion import print_completion

    return print_completion(app, shell, common)
