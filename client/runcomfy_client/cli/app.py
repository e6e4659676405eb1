"""The parser: builds the app of the commands that a line may mean, runs it, and explains a line it cannot parse."""

from __future__ import annotations

import copy
import logging
import shlex
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, get_args

from cyclopts import App, Parameter
from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from ..errors import CureNote
from .errors import CommandError, debug_wanted, token_words
from .options import COMMANDS, HELP
from .output import console, print_marked
from .package import package, program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .options import Command

# The module of `commands` that defines each command. A line that names one loads only that.
MODULES = {
    "models": "browse",
    "show": "browse",
    "schema": "browse",
    "validate": "validate",
    "run": "run",
    "submit": "run",
    "status": "jobs",
    "result": "jobs",
    "cancel": "jobs",
    "pending": "records",
    "jobs": "records",
    "settle": "records",
    "batch": "batch",
    "mcp": "mcp",
    "studio": "studio",
    "balance": "account",
    "completion": "account",
}
# cyclopts takes a bare "-" for an option. This says the same in the way inputs name files.
STDIN = "@-"
# How like a word must be to be suggested: --hlep is near --help, --since is not near --json.
_NEAR = 0.75
# Commands that have commands, with their help.
PARENTS = {"batch": "Run thousands of jobs from a file: checked first, and safe to kill and to start again."}


def run_app(argv: list[str]) -> int:
    """Parse and run; a line that cannot be parsed is a usage error, reported like every other."""
    _log_to_stderr(debug=debug_wanted(argv))
    app = make_app(argv[0] if argv else "")
    # Our console reports a reader that left (`--help | head`) as such; only help is written by cyclopts itself.
    help_console = console() if not argv or "--help" in argv or "-h" in argv else None
    words = [STDIN if word == "-" else word for word in argv]
    try:
        code = app(words, console=help_console, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        line = " ".join([program(), *(error.command_chain or ()), "--help"])
        raise CommandError(f"{_usage_message(error, argv)}\nSee: {line}") from error
    return code if isinstance(code, int) else 0


def make_app(command: str = "") -> App:
    """The app with the commands of one module if ``command`` is known, else with all."""
    app = App(
        name=program(),
        help="Browse, check and run the models of RunComfy's Model API.",
        help_epilogue=(
            "The token is read from RUNCOMFY_API_TOKEN, RUNCOMFY_API_KEY or RUNCOMFY_TOKEN, else from the official "
            "command line's login; never from an argument, which other users of the machine could see."
        ),
        help_format="plaintext",
        version=_version,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(negative=(), show_default=False),
    )
    app["--help"].group = app["--version"].group = HELP
    for module in {MODULES[command]} if command in MODULES else set(MODULES.values()):
        import_module(f".commands.{module}", __package__)
    parents: dict[str, App] = {}
    for entry in COMMANDS.values():
        if entry.parent and entry.parent not in parents:
            parents[entry.parent] = parent = App(
                name=entry.parent, help=PARENTS[entry.parent], group=entry.group, sort_key=entry.order
            )
            app.command(parent)
        _add(parents.get(entry.parent, app), entry)
    return app


def _add(app: App, command: Command) -> None:
    example = "\n".join(["Example:", *[f"  {line}" for line in command.example]])
    app.command(
        command.function,
        name=command.name,
        group=None if command.parent else command.group,
        sort_key=command.order,
        usage=f"Usage: {program()} {command.usage}" if command.usage else None,
        help_epilogue=example.replace("{program}", program()),
    )


def _usage_message(error: CycloptsError, argv: list[str]) -> str:
    """What is wrong with the line, with the words that would be right where they can be guessed."""
    command = " ".join(error.command_chain or argv[:1])
    if isinstance(error, UnknownCommandError):
        return _unknown_word(error.unused_tokens or argv, error.app)
    if isinstance(error, UnusedCliTokensError):
        words = " ".join(shlex.quote(word) for word in error.unused_tokens or ())
        return f"{command} takes no such argument: {words}"
    if isinstance(error, CoercionError) and error.token is not None:
        return f"{_argument_name(error)} takes {_type_words(error.target_type)}, not {error.token.value!r}"
    if isinstance(error, RepeatArgumentError):
        return f"{error.token.keyword} is given more than once"
    if isinstance(error, UnknownOptionError):
        option = (error.token.keyword or error.token.value).partition("=")[0]
        if option in ("--token", "--api-key", "--api-token"):
            return f"a token is not an argument, because other users of the machine could read it: {token_words()}"
        options = [name for argument in error.argument_collection if argument.parse for name in argument.names]
        near = get_close_matches(option, options, n=1, cutoff=_NEAR)
        if command in ("run", "submit") and (name := _intended_input(option, argv, near)):
            word = next((word for word in argv if word.partition("=")[0] == option), option)
            following = argv[argv.index(word) + 1 : argv.index(word) + 2] if word in argv else []
            value = word.partition("=")[2] or (following[0] if following and following[0][:1] != "-" else "VALUE")
            return f"there is no option {option}; inputs are written without dashes: {shlex.quote(f'{name}={value}')}"
        return f"there is no option {option}" + (f"; did you mean {near[0]}?" if near else "")
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.argument.names[0] if error.argument.names else "an argument"
        if error.keyword is not None:
            return f"{error.keyword} needs a value"
        meaning = (error.argument.parameter.help or "").partition(".")[0]
        return f"{command} needs {name}" + (f": {meaning[:1].lower()}{meaning[1:]}" if meaning else "")
    return str(error)


def _unknown_word(words: Sequence[str], app: App | None) -> str:
    """What is wrong with a line whose command does not exist."""
    word = next(iter(words), "")
    kind = "option" if word.startswith("-") else "command"
    names = [name for name in app or () if name.startswith("-") == word.startswith("-")]
    near = get_close_matches(word, names, n=1, cutoff=_NEAR)
    if near:
        return f"there is no {kind} {word}; did you mean {near[0]}?"
    return f"there is no {kind} {word}; there are {', '.join(sorted(names))}"


def _argument_name(error: CoercionError) -> str:
    if error.token is not None and error.token.keyword:
        return error.token.keyword
    return error.argument.name.lstrip("-").upper() if error.argument is not None else "an argument"


def _type_words(kind: object) -> str:
    """A type in words."""
    if choices := get_args(kind):
        return f"one of {', '.join(map(str, choices))}"
    return "a whole number" if kind is int else "a number" if kind is float else "another value"


def _intended_input(option: str, argv: list[str], near: Sequence[str]) -> str:
    """The input that an unknown option is meant for: one of the model's, or any if no option is near; else ""."""
    name = option.lstrip("-").replace("-", "_")
    input_names = {
        input_name
        for spec in map(package().spec, argv[1:])
        if spec is not None
        for wire, prop in spec.input.properties.items()
        for input_name in (wire, prop.name)
    }
    return name if name in input_names or not near else ""


def _version() -> str:
    from importlib.metadata import version  # slow, and seldom asked for

    return version("runcomfy-client")


class _ToStderr(logging.Handler):
    """Prints what is logged as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            record = copy.copy(record)  # other handlers get the same one
            if isinstance(record.args, tuple):  # advice for Python is not for this reader
                record.args = tuple(["" if isinstance(value, CureNote) else value for value in record.args])
            print_marked(record.levelname.lower(), "yellow", record.getMessage().rstrip())
        except Exception:  # noqa: BLE001  # as every handler: a message must not end the program
            self.handleError(record)


def _log_to_stderr(*, debug: bool) -> None:
    """Show the client's warnings as lines on stderr, with --debug everything it logs."""
    logger = logging.getLogger("runcomfy")
    logger.handlers[:] = [_ToStderr()]
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    logger.propagate = False
