"""What tools answer: structured content and the same JSON as text, and every error in words an agent can act on.

An error says what happened (``code``, ``message`` and its facts) and what to call ``next``. The client's own advice is
for Python and is left out. Nothing here asks an agent to settle a submit or to spend: that is for a person.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult, ContentBlock, TextContent
from runcomfy_client import errors
from runcomfy_client.describe.errors import error_facts, error_name, error_notes

from .text import clean, shorten, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runcomfy_client.schema.findings import Report

    from .settings import Settings

# A list of a million wrong items must not fill an agent's memory.
MOST_FINDINGS = 50
LONGEST_MESSAGE = 2000

_RETRY = "Wait a little, then call the same tool again with the same arguments."
FIX_INPUT = "Correct the input by the errors; validate_input checks it without paying."
_ASK_TOKEN = (
    "A person must give this server a good token: RUNCOMFY_API_TOKEN in its environment."  # noqa: S105 - advice
)
# The first class that fits decides, so the special ones stand before their bases.
_NEXT: tuple[tuple[type[errors.RunComfyError], str], ...] = (
    (errors.UnknownModelError, "search_models finds the ids of the models that are known here."),
    (errors.InvalidInputError, FIX_INPUT),
    (errors.AuthenticationError, _ASK_TOKEN),
    (
        errors.InsufficientBalanceError,
        "A person must add credit to the RunComfy account; get_balance tells what is left.",
    ),
    (errors.NotFoundError, "list_jobs shows the jobs on record, search_models the models."),
    (
        errors.RejectedInputError,
        "RunComfy refuses this input, and nothing was started. Change it; get_model has the schema.",
    ),
    (errors.RateLimitError, _RETRY),
    (errors.ServerError, _RETRY),
    (errors.TransportError, _RETRY),
    (errors.DownloadError, "Call wait_for_job again: it fetches the files that are missing."),
    (errors.JobNotReadyError, "Call wait_for_job."),
    (
        errors.JournalError,
        "Tell the person. When it is mended, call again with the same arguments: the same key pays once.",
    ),
)


class Refusal(Exception):
    """The server does not do this. ``facts`` are shown beside code and message; ``next`` says how to go on."""

    def __init__(self, code: str, message: str, next: str, **facts: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next = next
        self.facts = facts


def answer(payload: dict[str, Any], *more: ContentBlock, is_error: bool = False) -> CallToolResult:
    """A result with the payload as structured content, and the same JSON as text for clients that read only that."""
    text = to_json(payload)
    content: list[ContentBlock] = [TextContent(type="text", text=text), *more]
    return CallToolResult(content=content, structured_content=json.loads(text), is_error=is_error)


def refusal_answer(refusal: Refusal) -> CallToolResult:
    error = {"code": refusal.code, "message": shorten(refusal.message, LONGEST_MESSAGE), **refusal.facts}
    return answer({"error": error, "next": refusal.next}, is_error=True)


def failure(error: errors.RunComfyError, settings: Settings) -> CallToolResult:
    """An error of the client's."""
    facts = {
        name: clean(value, LONGEST_MESSAGE) if isinstance(value, str) else value
        for name, value in error_facts(error).items()
    }
    if isinstance(error, errors.InvalidInputError):
        facts["report"] = verdict(error.report)
        message = f"{error.report.model_id}: the input breaks the model's schema; nothing was sent."
    else:
        message = " ".join([error.message, *error_notes(error)])
    return refusal_answer(Refusal(error_name(error), message, next_step(error, settings), **facts))


def next_step(error: errors.RunComfyError, settings: Settings) -> str:
    """What to do about an error."""
    if isinstance(error, errors.SubmissionUnknownError):
        settle = settings.settle_line(error.job_key or error.submission_id or "KEY")
        return (
            "Do not submit this under another key: the job may be running and paid. The same job_key sends nothing."
            f" Tell the person, who looks at RunComfy's pages and settles it: {settle} --request-id ID,"
            " or --not-started."
        )
    if isinstance(error, errors.BudgetExceededError):
        return (
            "Tell the person. The budget counts the last 24 hours; a person can start the server with a larger"
            " --max-cost or --max-jobs."
        )
    if isinstance(error, errors.JournalError) and error.account is not None:
        adopt = f"{settings.settle_line(error.job_key or 'KEY')} --adopt"
        return f"Tell the person: the key was used with another token. {adopt} takes it over."
    if isinstance(error, errors.JournalError) and error.job_key is not None:
        return "This job_key stands for another input. For a new job choose a new job_key; list_jobs shows the old one."
    return next((words for kind, words in _NEXT if isinstance(error, kind)), "Tell the person what happened.")


def verdict(report: Report) -> dict[str, Any]:
    """The report of a check as JSON values, at most MOST_FINDINGS of each kind."""
    facts: dict[str, Any] = {"model_id": report.model_id, "ok": report.ok}
    for name in ("errors", "warnings", "unchecked"):
        findings: Sequence[Any] = getattr(report, name)
        facts[name] = [finding.to_dict() for finding in findings[:MOST_FINDINGS]]
        if len(findings) > MOST_FINDINGS:
            facts[f"more_{name}"] = len(findings) - MOST_FINDINGS
    return facts
