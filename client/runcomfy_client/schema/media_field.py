"""A media field and its rules: an https URL, a data: URI or a local file, and what the schema demands of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .findings import Deferred, ErrorFinding, Finding
from .messages import brief
from .nodes import Node, text_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from .rules import MediaRule


def _no_reader(field: Media, value: object) -> list[Finding]:
    raise NotImplementedError("the reader of local media is not registered; import runcomfy_client first")


# The readers of files and data: URIs are in a layer above, which registers them here (see runcomfy_client).
check_local: Callable[[Media, object], list[Finding]] = _no_reader


class Media(Node):
    """A string that names an image, a video or an audio file (``kind``), with the rules it must keep."""

    __slots__ = ("_plain", "kind", "max_length", "min_length", "rules")

    def __init__(
        self,
        kind: str,
        *,
        rules: tuple[MediaRule, ...] = (),
        min_length: int | None = None,
        max_length: int | None = None,
    ) -> None:
        self.kind = kind
        self.rules = rules
        self.min_length = min_length
        self.max_length = max_length
        self._plain = min_length is None and max_length is None

    @property
    def expected(self) -> str:  # type: ignore[override]  # the kind says it here
        return f"{'an' if self.kind[:1] in 'ai' else 'a'} {self.kind}"

    def with_rules(self, rules: tuple[MediaRule, ...]) -> Media:
        """The same field with more rules: those of the list it is an item of."""
        return Media(self.kind, rules=self.rules + rules, min_length=self.min_length, max_length=self.max_length)

    def check(self, value: object) -> list[Finding] | None:
        # The order is that of frequency: a plain https URL must cost next to nothing.
        if type(value) is str and self._plain and value[:8] == "https://" and names_host(value):
            return [Deferred(self.rules)] if self.rules else None
        if isinstance(value, str):
            return self._text(value)
        return check_local(self, value) or None

    def _text(self, value: str) -> list[Finding] | None:
        findings: list[Finding] = [*text_errors(value, self.min_length, self.max_length)]
        scheme = value[:8].lower()
        if scheme.startswith("data:"):
            findings += check_local(self, value)
        elif scheme == "https://" and names_host(value):
            findings += [Deferred(self.rules)] if self.rules else []
        else:
            findings.append(self._no_source(value, scheme))
        return findings or None

    def _no_source(self, value: str, scheme: str) -> Finding:
        if scheme == "https://":
            message = f"{brief(value)} is not a usable URL: it names no host or holds white space"
        elif scheme.startswith("http://"):
            message = f"{brief(value)} is not allowed: the server fetches public https:// URLs only"
        elif not value:
            message = f"expected {self.expected}, got an empty text; leave the key out if there is none"
        else:
            return NoMediaFinding(
                "media_source", f"{brief(value)} is neither an https:// URL nor a data: URI", brief(value)
            )
        return ErrorFinding("media_source", message, brief(value))


class NoMediaFinding(ErrorFinding):
    """A text that is no media source: often the name of a file."""

    __slots__ = ()
    cure = "to send a file, pass it as pathlib.Path(...), as bytes or as an open binary file"


def names_host(url: str) -> bool:
    """Whether a text that begins with https:// continues as a URL."""
    # The empty text is in any other, so a URL that ends here names no host; split() sees white space quickest.
    return url[8:9] not in "/?#:@" and url.split() == [url] and (url.isascii() or url.isprintable())
