"""Local files that an agent names: `file://` addresses, only below the folders named when the server was started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from .answers import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEME = "file://"
# An input nested deeper is no payload of any model.
_DEEPEST = 60


class LocalFiles:
    """The folders whose files may be sent."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folder.expanduser().resolve() for folder in folders)

    @property
    def advice(self) -> str:
        """How an agent names a local file, or that it cannot."""
        if not self._folders:
            return "Local files cannot be sent: the server was started without --files. Use https:// URLs."
        listed = ", ".join(str(folder) for folder in self._folders)
        return f"A local file is named file:///path, and must lie below {listed}. Else use https:// URLs."

    def resolve(self, input: Mapping[str, object]) -> dict[str, object]:
        """The input with a Path for each `file://` address in it. Raises Refusal."""
        return {name: self._value(value, f"/{name}", _DEEPEST) for name, value in input.items()}

    def _value(self, value: object, place: str, depth: int) -> object:
        if isinstance(value, str):
            return self._path(value, place) if value[: len(SCHEME)].lower() == SCHEME else value
        if depth == 0:
            return value
        if isinstance(value, list):
            return [self._value(item, f"{place}/{index}", depth - 1) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {name: self._value(item, f"{place}/{name}", depth - 1) for name, item in value.items()}
        return value

    def _path(self, address: str, place: str) -> Path:
        try:
            parts = urlsplit(address)
            if parts.netloc not in ("", "localhost"):
                raise ValueError
            name = unquote(parts.path, errors="strict")
            if os.name == "nt":
                name = name.lstrip("/")
            # Resolved: a link is checked by what it leads to.
            path = Path(name).resolve()
        except (OSError, ValueError, RuntimeError):
            raise self._refused(address, place) from None
        if not any(path.is_relative_to(folder) for folder in self._folders):
            raise self._refused(address, place)
        return path

    def _refused(self, address: str, place: str) -> Refusal:
        message = f"{place}: {address!r:.200} may not be read. {self.advice}"
        return Refusal("file_refused", message, "Use a file that may be read, or an https:// URL.")
