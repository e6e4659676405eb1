"""What one submit may be told beside its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


class RequestOptions(TypedDict, total=False):
    """The one reserved argument of an endpoint method, ``options={...}``.

    timeout: seconds the whole submit may take; when it is up and the request was sent, the submit is unsure.
    extra_input: keys the server takes but the schema here does not have yet; sent unchecked beside the input.
    job_key: your own name for this job. With a journal, the same key and input give the job already paid for.
    """

    timeout: float
    extra_input: Mapping[str, object]
    job_key: str


_KNOWN = frozenset(RequestOptions.__annotations__)


def checked(options: RequestOptions | None) -> RequestOptions:
    """The options, or an error that names what is wrong with them."""
    if options is None:
        return {}
    given: Mapping[str, object] = options  # what a caller without a type checker may pass
    if unknown := sorted(set(given) - _KNOWN):
        raise ConfigurationError(f"Unknown option {unknown[0]!r}; there are {', '.join(sorted(_KNOWN))}.")
    timeout = given.get("timeout")
    if timeout is not None and not (isinstance(timeout, (int, float)) and timeout > 0):
        raise ConfigurationError(f"The option timeout is {timeout!r}; it must be a number of seconds above 0.")
    key = given.get("job_key")
    if key is not None and not (isinstance(key, str) and key.strip()):
        raise ConfigurationError("The option job_key must be a text that is not empty.")
    return options
