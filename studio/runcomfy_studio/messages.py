"""What the page says of errors: the client's own sentences, without advice for Python, paths and addresses of files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runcomfy_client.describe.errors import error_notes
from runcomfy_client.errors import AuthenticationError, InvalidInputError, RunComfyError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HOW_TO_LOG_IN = "Start the studio with the token of your RunComfy profile in RUNCOMFY_API_TOKEN, or with --simulate."
_URL = re.compile(r"https?://[^\s'\"<>]+")


class Messages:
    """Turns errors into sentences for the page.

    base_url: the API's address, which may be shown. places: paths of this computer and the address of its database,
    with what stands for each.
    """

    def __init__(self, base_url: str, places: Iterable[tuple[Path | str, str]]) -> None:
        self._base_url = base_url
        self._places = sorted(((str(path), name) for path, name in places), key=lambda place: -len(place[0]))

    def of(self, error: BaseException) -> str:
        """What happened. A bug is named as one, without its details."""
        if isinstance(error, InvalidInputError):
            errors = error.report.errors
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            return f"The input is refused: {errors[0].path.lstrip('/') or 'input'}: {errors[0].message}{more}"
        if isinstance(error, RecursionError):
            return "The input is nested too deeply."
        if isinstance(error, OSError) and error.strerror:
            return f"A file or folder cannot be used: {error.strerror}."
        if not isinstance(error, RunComfyError):
            return f"The studio met an error that it does not know ({type(error).__name__}); the terminal says more."
        cure = _HOW_TO_LOG_IN if isinstance(error, AuthenticationError) else ""
        return self.clean(" ".join([error.message, *error_notes(error), cure]).strip())

    def clean(self, text: str) -> str:
        """The text without addresses of files and paths of this computer."""
        for path, name in self._places:
            text = text.replace(path, name)
        return _URL.sub(lambda match: match[0] if match[0].rstrip("/.,;:") == self._base_url else "[address]", text)
