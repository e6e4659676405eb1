"""Exit codes: one number for each kind of ending, the same whichever command met it; docs/cli.md lists them."""

from __future__ import annotations

import errno
import sys

from .. import errors

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
    (errors.RejectedInputError, INVALID_INPUT),
    (errors.UnknownModelError, USAGE),
    (errors.NotFoundError, USAGE),
    (errors.ConfigurationError, USAGE),
    (errors.AuthenticationError, NO_ACCESS),
    (errors.PermissionDeniedError, NO_ACCESS),
    (errors.InsufficientBalanceError, NO_ACCESS),
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
    """The command line itself cannot be carried out; ``code`` names the fault for scripts."""

    exit_code = USAGE
    code = "usage"


class NoFileError(CommandError):
    """A file that was named is not there or cannot be read."""

    exit_code = NO_FILE
    code = "no_file"


class JobKeyTakenError(CommandError):
    """The ``--job-key`` stands for another input; nothing was sent. ``request_id`` is the job it stands for, if any."""

    code = "job_key_taken"

    def __init__(self, job_key: str, request_id: str | None) -> None:
        super().__init__(f"the job key {job_key!r} was used for another input; nothing was sent")
        self.job_key = job_key
        self.request_id = request_id


class NotWrittenError(CommandError):
    """A file or folder that is to be written cannot be."""

    exit_code = NOT_WRITTEN
    code = "not_written"


def exit_code(error: BaseException) -> int:
    """The exit code that tells this error; what no part of this client raises knowingly is our bug."""
    if isinstance(error, CommandError):
        return error.exit_code
    if _is_full(error):
        return NOT_WRITTEN
    return next((code for kind, code in _EXITS if isinstance(error, kind)), OUR_BUG)


def code_of(error: BaseException) -> str:
    """The error's stable name for scripts: "invalid_input", "job_failed", "no_file", ..."""
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if _is_full(error):
        return NotWrittenError.code
    if not isinstance(error, errors.RunComfyError):
        return "bug"
    name = type(error).__name__.removesuffix("Error").replace("API", "Api")
    return "".join([f"_{letter.lower()}" if letter.isupper() else letter for letter in name]).lstrip("_")


def error_facts(error: BaseException) -> dict[str, object]:
    """The error as ``--json`` shows it; what does not apply is left out."""
    facts: dict[str, object] = {"code": code_of(error), "message": message_of(error), "exit_code": exit_code(error)}
    for name in ("request_id", "model_id", "status_code", "error_code", "job_key", "state"):
        value = getattr(error, name, None)
        if value is not None:
            facts[name] = value
    if isinstance(error, errors.InvalidInputError):
        facts["report"] = error.report.to_dict()
    if isinstance(error, errors.JobFailedError) and error.error is not None:
        facts["error"] = error.error
    return facts


def message_of(error: BaseException) -> str:
    """The error's own words with the notes that were added to it, or what a bug looks like without its traceback."""
    if exit_code(error) == OUR_BUG:
        return (
            f"{type(error).__name__}: {error}. This is a bug of runcomfy-client; "
            "run the command again with --debug and report what it shows."
        )
    text = "Interrupted." if isinstance(error, KeyboardInterrupt) else str(error)
    if _is_full(error):
        text = f"cannot write: {text}"
    return "\n".join([text, *getattr(error, "__notes__", ())])


def _is_full(error: BaseException) -> bool:
    """Whether the disk is full or fails: a fault of the machine, whoever wrote."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def json_wanted(argv: list[str]) -> bool:
    """Whether scripts read along. Asked of the raw words, because it must be known even if they cannot be parsed."""
    words = argv[: argv.index("--")] if "--" in argv else argv
    return "--json" in words


def debug_wanted(argv: list[str]) -> bool:
    return "--debug" in argv


def show_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error, file=sys.stderr)
