"""Errors as data, for scripts, agents and pages: a stable name, the message, and the facts an error carries.

Each reader adds its own: the command line an exit code and the next command, an agent the next tool to call.
"""

from __future__ import annotations

from .. import errors
from ..errors import BudgetExceededError, CureNote, InvalidInputError, JobFailedError, RunComfyError

# The names of the public classes, which generated packages pass on.
ERROR_CLASSES: tuple[str, ...] = (*errors.__all__,)

# What an error may carry besides its message, in the order in which it is shown.
_FACTS = ("request_id", "model_id", "status_code", "error_code", "job_key", "state")


def error_name(error: RunComfyError) -> str:
    """The stable name of an error: "invalid_input", "job_failed", "rate_limit", ..."""
    name = type(error).__name__.removesuffix("Error").replace("API", "Api")
    return "".join([f"_{letter.lower()}" if letter.isupper() else letter for letter in name]).lstrip("_")


def error_facts(error: BaseException) -> dict[str, object]:
    """What an error carries, as JSON values; what does not apply is left out. A report is one of findings as data."""
    facts = {name: value for name in _FACTS if (value := getattr(error, name, None)) is not None}
    if isinstance(error, InvalidInputError):
        facts["report"] = error.report.to_dict()
    if isinstance(error, BudgetExceededError):
        facts |= {"spent": error.spent, "reserved": error.reserved, "jobs": error.jobs, "estimate": error.estimate}
    if isinstance(error, JobFailedError) and error.error is not None:
        facts["error"] = error.error
    return facts


def error_notes(error: BaseException) -> list[str]:
    """What was added to an error since it was raised, without the advice for Python programs."""
    return [note for note in getattr(error, "__notes__", ()) if not isinstance(note, CureNote)]
