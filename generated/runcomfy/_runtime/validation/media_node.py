"""A media field: an https URL, a data: URI or local media; what is here is measured, what is elsewhere is unchecked."""

from __future__ import annotations

from .nodes import Node, text_faults
from .report import Deferred, Problem
from .words import shown, type_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .report import Finding
    from .rules import Rule

__all__ = ["Media", "names_host"]


class Media(Node):
    """A string that names an image, a video or an audio file (``kind``), with the rules it must keep."""

    __slots__ = ("_plain", "kind", "max_length", "min_length", "rules")

    def __init__(
        self,
        kind: str,
        *,
        rules: tuple[Rule, ...] = (),
        min_length: int | None = None,
        max_length: int | None = None,
    ) -> None:
        self.kind = kind
        self.rules = rules
        self.min_length = min_length
        self.max_length = max_length
        self._plain = min_length is None and max_length is None

    @property
    def expected(self) -> str:  # type: ignore[override]  # told by the kind here
        return f"{'an' if self.kind[:1] in 'ai' else 'a'} {self.kind}"

    def with_rules(self, rules: tuple[Rule, ...]) -> Media:
        """The same field with more rules: those of the list it is an item of."""
        return Media(self.kind, rules=self.rules + rules, min_length=self.min_length, max_length=self.max_length)

    def judge(self, value: object) -> list[Finding] | None:
        # The order is that of frequency: a plain https URL must cost next to nothing.
        if type(value) is str and self._plain and value[:8] == "https://" and names_host(value):
            return [Deferred(self.rules)] if self.rules else None
        if isinstance(value, str):
            return self._text(value)
        from ..media.facts import RemoteMedia
        from ..media.local import is_local
        from .media_judge import judge_local, judge_remote

        if isinstance(value, RemoteMedia):
            return judge_remote(self, value) or None
        if not is_local(value):
            return [
                type_problem(
                    f"{self.expected} (an https:// URL, a data: URI, a pathlib.Path, bytes or an open file)", value
                )
            ]
        return judge_local(self, value) or None

    def _text(self, value: str) -> list[Finding] | None:
        found: list[Finding] = [*text_faults(value, self.min_length, self.max_length)]
        scheme = value[:8].lower()
        if scheme.startswith("data:"):
            from .media_judge import judge_data_uri

            found += judge_data_uri(self, value)
        elif scheme == "https://" and names_host(value):
            found += [Deferred(self.rules)] if self.rules else []
        else:
            found.append(self._no_source(value, scheme))
        return found or None

    def _no_source(self, value: str, scheme: str) -> Finding:
        if scheme == "https://":
            message = f"{shown(value)} is not a usable URL: it names no host or holds white space"
        elif scheme.startswith("http://"):
            message = f"{shown(value)} is not allowed: the server fetches public https:// URLs only"
        elif not value:
            message = f"expected {self.expected}, got an empty text; leave the key out if there is none"
        else:
            message = (
                f"{shown(value)} is neither an https:// URL nor a data: URI; "
                "to send a file, pass it as pathlib.Path(...), as bytes or as an open binary file"
            )
        return Problem("media_source", message, shown(value))


def names_host(url: str) -> bool:
    """Whether a text that begins with https:// goes on as a URL does."""
    # The empty text is in any other, so a URL that ends here names no host; split() sees white space quickest.
    return url[8:9] not in "/?#:@" and url.split() == [url] and (url.isascii() or url.isprintable())
