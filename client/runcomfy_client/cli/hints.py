"""What to type next: the command, variable or word that is the cure of an error, for those that have one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .. import errors
from .exit_codes import JobKeyTakenError
from .places import write_place

if TYPE_CHECKING:
    from collections.abc import Sequence


def hint(error: BaseException, argv: Sequence[str]) -> str | None:
    """The cure of ``error``, met by the command line ``argv``."""
    sends = argv[:1] in (["run"], ["submit"])
    if isinstance(error, errors.AuthenticationError):
        return _token()
    if isinstance(error, errors.UnknownModelError):
        return "runcomfy-client models lists the models" + ("; --no-validate sends to any other" if sends else "")
    if isinstance(error, errors.InvalidInputError) and sends:
        return _file(error)
    if isinstance(error, JobKeyTakenError):
        bring = f"its result: runcomfy-client result {error.request_id}; " if error.request_id else ""
        return f"{bring}to free the key for a new, paid job: {_settle(error.job_key, argv)} --release"
    return _about_job(error, argv)


def _settle(name: str, argv: Sequence[str]) -> str:
    """The command that settles a submit, in the journal that ``argv`` names."""
    words = ["runcomfy-client", "settle", name]
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        if word == "--journal":
            words += [word, following]
        elif word.startswith("--journal="):
            words.append(word)
    return shlex.join(words)


def _about_job(error: BaseException, argv: Sequence[str]) -> str | None:
    request_id = getattr(error, "request_id", None)
    if isinstance(error, errors.SubmissionUnknownError):
        name = error.job_key or error.submission_id
        if not name:
            return None
        return f"look for the job on RunComfy's pages, then: {_settle(name, argv)} --help"
    if not request_id:
        return None
    if isinstance(error, (errors.JobTimeoutError, errors.JobNotReadyError)):
        return f"pick it up again: runcomfy-client result {request_id} --wait"
    if isinstance(error, errors.DownloadError):
        return f"fetch the files again: runcomfy-client result {request_id}"
    if isinstance(error, errors.NotFoundError):
        return "runcomfy-client pending lists the jobs on record"
    return None


def _token() -> str:
    import os

    from ..transport.config import TOKEN_VARIABLES

    first, *others = TOKEN_VARIABLES
    read = next((name for name in TOKEN_VARIABLES if os.environ.get(name, "").strip()), None)
    if read is not None:
        return f"the token was read from {read}"
    return f"export {first}=... with the token of your RunComfy profile; {' and '.join(others)} are read too"


def _key(keys: Sequence[str | int]) -> str:
    """The word for a place: a list of files is given by the key of the list, once for each."""
    inside = len(keys) > 1 and isinstance(keys[-1], int)
    return write_place(keys[:-1] if inside else keys)


def _file(error: errors.InvalidInputError) -> str | None:
    """How a file is named here, where a media field got a text that is no URL."""
    for problem in error.report.errors:
        given = problem.given or ""
        if problem.code == "media_source" and len(given) > 2 and not given.lower().startswith("'http"):
            name = given[1:-1] if given.endswith("'") else "FILE"
            word = f"{_key(problem.keys)}=@{name.lstrip('@')}"
            return f"to send a file, write {shlex.quote(word)}"
    return None
