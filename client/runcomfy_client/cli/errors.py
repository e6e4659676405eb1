"""The edge of the command line: what each error is called, which exit code it gets, and what the user types next.

Errors and findings carry facts and a stable code; their own advice is for Python. Here, and nowhere else, it becomes
the command line's: an option, a variable, or a command that names the program as the user called it. The exit codes are
the same whichever command met the error; docs/cli.md lists them.
"""

from __future__ import annotations

import errno
import os
import shlex
from typing import TYPE_CHECKING

from .. import errors
from ..describe import errors as describe
from ..schema.findings import report_lines, report_summary
from ..schema.json_payload import SyntaxFinding
from .text import write_place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..schema import Finding

OK = 0
JOB_ENDED_BADLY = 1
USAGE = 2
INVALID_INPUT = 65
NO_FILE = 66
UNAVAILABLE = 69
OUR_BUG = 70
NOT_WRITTEN = 74
STILL_RUNNING = 75
NO_ACCESS = 77
INTERRUPTED = 130
READER_GONE = 141  # 128 + SIGPIPE: what a shell reports of any tool whose reader left

# The first class that fits decides, so the special ones stand before their bases.
_EXITS: tuple[tuple[type[BaseException], int], ...] = (
    (errors.InvalidInputError, INVALID_INPUT),
    (errors.InvalidBatchError, INVALID_INPUT),
    (errors.RejectedInputError, INVALID_INPUT),
    (errors.UnknownModelError, USAGE),
    (errors.NotFoundError, USAGE),
    (errors.ConfigurationError, USAGE),
    (errors.AuthenticationError, NO_ACCESS),
    (errors.PermissionDeniedError, NO_ACCESS),
    (errors.InsufficientBalanceError, NO_ACCESS),
    (errors.BudgetExceededError, NO_ACCESS),
    (errors.APIError, UNAVAILABLE),
    (errors.TransportError, UNAVAILABLE),
    (errors.SubmissionUnknownError, STILL_RUNNING),
    (errors.JobTimeoutError, STILL_RUNNING),
    (errors.JobNotReadyError, STILL_RUNNING),
    (errors.JobError, JOB_ENDED_BADLY),
    (errors.DownloadError, NOT_WRITTEN),
    (errors.JournalError, NOT_WRITTEN),
    (KeyboardInterrupt, INTERRUPTED),
)


class CommandError(Exception):
    """The command line itself cannot be carried out; ``code`` names the error for scripts."""

    exit_code = USAGE
    code = "usage"


class NoFileError(CommandError):
    """A file that was named is not there or cannot be read."""

    exit_code = NO_FILE
    code = "no_file"


class JobKeyTakenError(CommandError):
    """The ``--job-key`` stands for another job; nothing was sent.

    ``request_id`` is that job, if it is known; ``other_token`` whether it was submitted with another token.
    """

    code = "job_key_taken"

    def __init__(self, message: str, job_key: str, request_id: str | None, *, other_token: bool = False) -> None:
        super().__init__(message)
        self.job_key = job_key
        self.request_id = request_id
        self.other_token = other_token


class NotWrittenError(CommandError):
    """A file or folder that is to be written cannot be."""

    exit_code = NOT_WRITTEN
    code = "not_written"


def exit_code(error: BaseException) -> int:
    """The exit code for this error; what no part of this client raises knowingly is our bug."""
    if isinstance(error, CommandError):
        return error.exit_code
    if _disk_fails(error):
        return NOT_WRITTEN
    return next((code for kind, code in _EXITS if isinstance(error, kind)), OUR_BUG)


def code_of(error: BaseException) -> str:
    """The error's stable name for scripts: "invalid_input", "job_failed", "no_file", ..."""
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if _disk_fails(error):
        return NotWrittenError.code
    if not isinstance(error, errors.RunComfyError):
        return "bug"
    return describe.error_name(error)


def error_facts(error: BaseException) -> dict[str, object]:
    """The error as ``--json`` shows it; what does not apply is left out."""
    facts: dict[str, object] = {"code": code_of(error), "message": message_of(error), "exit_code": exit_code(error)}
    return facts | describe.error_facts(error)


def message_of(error: BaseException, width: int | None = None) -> str:
    """What happened, without the advice for Python; a bug without its traceback.

    ``width`` is that of the terminal to print to, or None.
    """
    if exit_code(error) == OUR_BUG:
        message = str(error).rstrip(".")
        return (
            f"{type(error).__name__}: {message}. This is a bug of runcomfy-client; "
            "run the command again with --debug and report what it shows."
        )
    if isinstance(error, errors.InvalidInputError):
        report = error.report
        text = "\n".join([f"{report.model_id}: {report_summary(report)}", *report_lines(report, width)])
    elif isinstance(error, errors.RunComfyError):
        text = error.message
    elif isinstance(error, KeyboardInterrupt):
        text = "Interrupted."
    else:
        text = f"cannot write: {error}" if _disk_fails(error) else str(error)
    return "\n".join([text, *describe.error_notes(error)])


class Hint:
    """What to do next: some words, and the commands to choose from, ready to paste, if there are any."""

    __slots__ = ("commands", "words")

    def __init__(self, words: str, *commands: str) -> None:
        self.words = words
        self.commands = commands

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.words, ", or ".join(self.commands))))


def hint(error: BaseException, argv: Sequence[str], program: str) -> Hint | None:
    """What the user of the command line ``argv`` can do about ``error``."""
    submits = argv[:1] in (["run"], ["submit"])
    if isinstance(error, errors.AuthenticationError):
        return Hint(token_words())
    if isinstance(error, errors.UnknownModelError):
        others = "; --no-validate sends to any other" if submits else ""
        return Hint(f"{program} models lists the models{others}")
    if isinstance(error, errors.InvalidInputError):
        return next(
            (advice for finding in error.report.errors if (advice := finding_hint(finding, submits=submits))), None
        )
    if isinstance(error, errors.JobFailedError) and (key := _option(argv, "--job-key")):
        return Hint("to free the key for a new, paid job", _settle_command(program, key, argv, "--release"))
    if isinstance(error, JobKeyTakenError) and error.other_token:
        # To free the key would pay again for a job that may be one's own.
        adopt = _settle_command(program, error.job_key, argv, "--adopt")
        return Hint("if it is your account with a new token, take its jobs over", adopt)
    if isinstance(error, JobKeyTakenError):
        fetch = f"its result: {_result(program, error.request_id, argv)}; " if error.request_id else ""
        free = _settle_command(program, error.job_key, argv, "--release")
        return Hint(f"{fetch}to free the key for a new, paid job", free)
    if isinstance(error, errors.TransportError) and error.cure and not error.request_id:
        # Only an address of the user's own has a cure.
        return Hint("check that a server, such as the simulator, is running there; RUNCOMFY_BASE_URL sets the address")
    if isinstance(error, (errors.ConfigurationError, errors.JournalError)) and argv[:1] == ["batch"] and error.cure:
        # Those of a batch are about files and folders, the same for a program and a command.
        return Hint(error.cure[0].lower() + error.cure[1:].removesuffix("."))
    return _about_job(error, argv, program)


def finding_hint(finding: Finding, *, submits: bool) -> Hint | None:
    """What can be done about one finding; ``submits`` if the payload comes from KEY=VALUE words."""
    if finding.code == "media_source" and submits:
        value = finding.given or ""
        # A URL of another kind is no file; the message says which URLs are allowed.
        if len(value) > 2 and "://" not in value:
            name = value[1:-1].lstrip("@") if value.endswith("'") else "FILE"
            # A list of files is given by the key of the list, once for each.
            in_list = len(finding.keys) > 1 and isinstance(finding.keys[-1], int)
            key = write_place(finding.keys[:-1] if in_list else finding.keys)
            return Hint(f"to send a file, write {shlex.quote(f'{key}=@{name}')}")
    if finding.code == "unknown_key" and submits and finding.keys[:1] in (("lora",), ("loras",)):
        sample = '{"lora": {"path": "https://..."}}'
        if finding.keys[0] == "loras":
            sample = '{"loras": [{"path": "https://..."}]}'
        words = "a LoRA is in no schema; to send it unchecked beside the input, and check the rest, write"
        return Hint(words, f"--extra-input {shlex.quote(sample)}")
    if isinstance(finding, SyntaxFinding) and finding.kind == "several" and not submits:
        return Hint("for a payload on each line, add --jsonl or name the file *.jsonl")
    if finding.code == "type" and not finding.keys and (finding.given or "").startswith("a list") and not submits:
        return Hint("one file holds one payload; for many, write one on each line of a .jsonl file")
    return None


def token_words() -> str:
    """Where a token belongs, or which one was used."""
    from ..transport.config import TOKEN_VARIABLES  # `validate` does not need it

    first, *others = TOKEN_VARIABLES
    used = next((name for name in TOKEN_VARIABLES if os.environ.get(name, "").strip()), None)
    if used is not None:
        return f"the token was read from {used}"
    return f"export {first}=... with the token of your RunComfy profile; {' and '.join(others)} are read too"


def _about_job(error: BaseException, argv: Sequence[str], program: str) -> Hint | None:
    notes = [note for note in getattr(error, "__notes__", ()) if isinstance(note, errors.CureNote)]
    if isinstance(error, KeyboardInterrupt):
        # An interruption adds such a note if the job continues.
        job = next((note.request_id for note in notes if note.request_id), None)
        return _pick_up_hint(program, job, argv) if job else None
    request_id = getattr(error, "request_id", None)
    if isinstance(error, errors.SubmissionUnknownError) or (isinstance(error, errors.JournalError) and request_id):
        name = getattr(error, "job_key", None) or getattr(error, "submission_id", None)
        if not name:
            return _pick_up_hint(program, request_id, argv) if request_id else None
        outcomes = ("--request-id ID", "--not-started")
        commands = [_settle_command(program, name, argv, outcome) for outcome in outcomes]
        return Hint("look for the job on RunComfy's pages, then", *commands)
    if not request_id:
        return None
    if isinstance(error, (errors.JobTimeoutError, errors.JobNotReadyError, errors.TransportError, errors.ServerError)):
        return _pick_up_hint(program, request_id, argv)
    if isinstance(error, errors.DownloadError):
        if argv[:1] == ["batch"]:  # all of its files are fetched by the next run
            return Hint("make room where the files go, or let them be written there")
        return Hint("fetch the files again", _result(program, request_id, argv))
    if isinstance(error, errors.NotFoundError):
        pending = in_journal(f"{program} pending", _option(argv, "--journal"))
        return Hint(f"{pending} lists the jobs on record")
    return None


def in_journal(command: str, journal: str | None, base_url: str | None = None) -> str:
    """A command to type next, with the journal and the address of the present one where these were named."""
    words = [command]
    if journal:
        words.append(f"--journal {shlex.quote(journal)}")
    if base_url:
        words.append(f"--base-url {shlex.quote(base_url)}")
    return " ".join(words)


def _result(program: str, request_id: str, argv: Sequence[str], wait: str = "") -> str:
    command = f"{program} result {request_id}{wait}"
    return in_journal(command, _option(argv, "--journal"), _option(argv, "--base-url"))


def _pick_up_hint(program: str, request_id: str, argv: Sequence[str]) -> Hint:
    return Hint("pick it up again", _result(program, request_id, argv, " --wait"))


def _settle_command(program: str, name: str, argv: Sequence[str], outcome: str) -> str:
    """The command that settles a submit, in the journal that ``argv`` names."""
    return in_journal(f"{program} settle {shlex.quote(name)} {outcome}", _option(argv, "--journal"))


def _option(argv: Sequence[str], name: str) -> str:
    """The value of an option on the command line, or ""."""
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        if word == name:
            return following
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return ""


def _disk_fails(error: BaseException) -> bool:
    """Whether the disk is full, fails or takes no writes: an error of the machine, whatever was written."""
    return isinstance(error, OSError) and error.errno in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EROFS,
    )


def json_wanted(argv: Sequence[str]) -> bool:
    """Whether --json is on the line. Read from the words themselves, since it must be known even if parsing fails."""
    words = argv[: list(argv).index("--")] if "--" in argv else argv
    return "--json" in words


def debug_wanted(argv: Sequence[str]) -> bool:
    """Whether tracebacks and the client's log are wanted."""
    return "--debug" in argv
