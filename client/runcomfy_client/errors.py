"""Every error the client raises: one tree, cheap to import, and each error says what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from .schema import Report

__all__ = [
    "APIError",
    "AuthenticationError",
    "BudgetExceededError",
    "ConfigurationError",
    "DownloadError",
    "InsufficientBalanceError",
    "InvalidBatchError",
    "InvalidInputError",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JobNotReadyError",
    "JobTimeoutError",
    "JournalError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RejectedInputError",
    "RunComfyError",
    "ServerError",
    "SubmissionUnknownError",
    "TransportError",
    "UnknownModelError",
]


class CureNote(str):
    """A note on an exception (``add_note``) that says what to do in Python; the command line has its own advice.

    ``request_id`` is the job that the user can continue with, or None.
    """

    request_id: str | None

    def __new__(cls, text: str, request_id: str | None = None) -> CureNote:
        note = super().__new__(cls, text)
        note.request_id = request_id
        return note


class RunComfyError(Exception):
    """Base of all errors of this client.

    ``message`` says what happened, ``cure`` what to do about it in Python, "" where nothing needs to be said; ``str()``
    is both. ``request_id`` and ``model_id`` name the job it is about, or are None where there is none (yet).
    """

    def __init__(
        self, message: str = "", *, cure: str = "", request_id: str | None = None, model_id: str | None = None
    ) -> None:
        super().__init__(f"{message} {cure}" if cure else message)
        self.message = message
        self.cure = cure
        self.request_id = request_id
        self.model_id = model_id


class ConfigurationError(RunComfyError):
    """The client cannot be used as it is set up: base URL, token text, http_client."""


class UnknownModelError(RunComfyError):
    """No schema of this model id is known here; the message suggests the nearest ids."""


class InvalidInputError(RunComfyError):
    """The input breaks the model's schema; nothing was sent. ``report`` lists every problem.

    Deliberately not a ValueError: pydantic swallows those, and the report with it.
    """

    def __init__(self, report: Report) -> None:
        super().__init__(str(report), model_id=report.model_id)
        self.args = (report,)  # so that pickling and copying rebuild it from the report
        self.report = report

    def __str__(self) -> str:
        return str(self.report)


class InvalidBatchError(RunComfyError):
    """Rows of a batch are wrong; nothing was sent. ``check`` is the `BatchCheck`, with every problem."""

    def __init__(self, check: Any) -> None:  # a BatchCheck is defined in a layer above this one
        super().__init__(str(check))
        self.args = (check,)
        self.check = check

    def __str__(self) -> str:
        return str(self.check)


class JournalError(RunComfyError):
    """The journal cannot be written or read, or a ``job_key`` is used for another input.

    Nothing was sent; but where the id of a job just started could not be written down, ``request_id`` names that job.
    ``job_key`` is the key that was used for another input, else None; ``account`` the account that has it (as in
    `JournalEntry.account`) if that is not the client's own.
    """

    def __init__(
        self,
        message: str = "",
        *,
        cure: str = "",
        job_key: str | None = None,
        request_id: str | None = None,
        model_id: str | None = None,
        account: str | None = None,
    ) -> None:
        super().__init__(message, cure=cure, request_id=request_id, model_id=model_id)
        self.job_key = job_key
        self.account = account


class BudgetExceededError(RunComfyError):
    """The submit does not fit into its budget (the option ``budget``); nothing was sent.

    ``spent``, ``reserved`` and ``estimate`` are US dollars: what the budget's time has cost, what is set aside for jobs
    whose cost is not known yet, and what this one is estimated at (None: its price is not known). ``jobs`` counts the
    submits of that time.
    """

    def __init__(
        self,
        message: str = "",
        *,
        cure: str = "",
        spent: float = 0.0,
        reserved: float = 0.0,
        jobs: int = 0,
        estimate: float | None = None,
        request_id: str | None = None,
        model_id: str | None = None,
    ) -> None:
        super().__init__(message, cure=cure, request_id=request_id, model_id=model_id)
        self.spent = spent
        self.reserved = reserved
        self.jobs = jobs
        self.estimate = estimate


class TransportError(RunComfyError):
    """No usable reply: the connection failed, was cut, timed out, or the reply is not the API's JSON.

    The message names host and port, and the proxy if one was on the way.
    """


class APIError(RunComfyError):
    """The API answered with an error.

    ``status_code`` is the HTTP status (None if no request was needed to know), ``error_code`` RunComfy's own number
    such as 400002 (None if the reply had none), ``body`` the first part of the reply's text.
    """

    def __init__(
        self,
        message: str = "",
        *,
        cure: str = "",
        status_code: int | None = None,
        error_code: int | str | None = None,
        body: str = "",
        retry_after: float | None = None,
        request_id: str | None = None,
        model_id: str | None = None,
    ) -> None:
        super().__init__(message, cure=cure, request_id=request_id, model_id=model_id)
        self.status_code = status_code
        self.error_code = error_code
        self.body = body
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without a change: after 408, 429, 5xx and what stands for these."""
        return isinstance(self, (RateLimitError, ServerError))


class AuthenticationError(APIError):
    """The token is missing, malformed, expired or revoked, or the account is inactive."""


class InsufficientBalanceError(APIError):
    """The account has no balance left for this."""


class PermissionDeniedError(APIError):
    """The token is good but may not do this; the job belongs to another user."""


class NotFoundError(APIError):
    """The model id or request id is unknown, was deleted or has expired."""


class RejectedInputError(APIError):
    """The server refused the input; nothing was started."""


class RateLimitError(APIError):
    """Too many requests; ``retry_after`` holds the seconds to wait if the server said so."""


class ServerError(APIError):
    """The server failed (5xx) or gave up waiting for the request (408)."""


class SubmissionUnknownError(RunComfyError):
    """A job may or may not have been started and paid: the request went out, and no usable reply came back.

    Never retried by this client. ``status_code`` is the reply's HTTP status if there was a reply, ``submission_id`` the
    row of the journal that keeps the unsure submit, ``job_key`` the key it was made under.
    """

    def __init__(
        self,
        message: str = "",
        *,
        cure: str = "",
        status_code: int | None = None,
        submission_id: str | None = None,
        job_key: str | None = None,
        request_id: str | None = None,
        model_id: str | None = None,
    ) -> None:
        super().__init__(message, cure=cure, request_id=request_id, model_id=model_id)
        self.status_code = status_code
        self.submission_id = submission_id
        self.job_key = job_key


class JobError(RunComfyError):
    """A submitted job has no result; ``request_id`` names it."""


class JobFailedError(JobError):
    """The job ran and failed. ``error`` is the server's own error, unchanged; ``raw`` is the whole reply."""

    def __init__(
        self,
        message: str = "",
        *,
        cure: str = "",
        error: object = None,
        raw: object = None,
        request_id: str | None = None,
        model_id: str | None = None,
    ) -> None:
        super().__init__(message, cure=cure, request_id=request_id, model_id=model_id)
        self.error = error
        self.raw = raw


class JobCancelledError(JobError):
    """The job was cancelled, here or elsewhere."""


class JobNotReadyError(JobError):
    """``job.result()`` was asked before the job was over."""


class JobTimeoutError(JobError):
    """The wait ran out of time; ``client.job(request_id)`` picks the job up again.

    It still runs and is still paid, or it is over (``state`` says so) and its result could not be read in time. If
    the last poll failed, its error is the ``__cause__``. ``poll_state`` goes to ``wait(poll_state=...)``, also in
    another process.
    """

    def __init__(
        self,
        message: str = "",
        *,
        cure: str = "",
        state: str | None = None,
        request_id: str | None = None,
        model_id: str | None = None,
    ) -> None:
        super().__init__(message, cure=cure, request_id=request_id, model_id=model_id)
        self.state = state
        self.poll_state: Any = None  # a PollState, which is defined in a layer above this one


class DownloadError(RunComfyError):
    """A result file was not fetched: refused host, too large, wrong kind, or cut off. The result itself is safe.

    ``url`` is the file's, ``status_code`` what its host replied if that is why; 403, 404 and 410 mean that there is no
    file at this address any more. Of a download of several files ``saved`` has the paths that are there, ``not_saved``
    the URLs of the files that are not; the same download again fetches only these.
    """

    def __init__(
        self,
        message: str = "",
        *,
        cure: str = "",
        url: str | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
        model_id: str | None = None,
    ) -> None:
        super().__init__(message, cure=cure, request_id=request_id, model_id=model_id)
        self.url = url
        self.status_code = status_code
        self.saved: tuple[Path, ...] = ()
        self.not_saved: tuple[str, ...] = () if url is None else (url,)
