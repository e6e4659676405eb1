"""A studio on a port of its own, and a caller that speaks to it as one of its pages does."""

from __future__ import annotations

import re
import threading
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Self

import httpx
from runcomfy_client.result_store import ResultStore, StoredResult
from runcomfy_studio.security import LAUNCH, PAGE_KEY
from runcomfy_studio.server import HOST, Server
from runcomfy_studio.settings import Settings
from runcomfy_studio.studio import make_studio

if TYPE_CHECKING:
    import socket
    from pathlib import Path

__all__ = ["FormReader", "StudioCaller", "StudioThread", "form_in"]


class StudioThread:
    """A studio in a thread of this process, on the port of a listening socket."""

    def __init__(self, folder: Path, listener: socket.socket, base_url: str, token: str, **settings: object) -> None:
        self.port = listener.getsockname()[1]
        self.settings = Settings(
            **{
                "package": "runcomfy",
                "program": "runcomfy-client",
                "folder": folder / "state",
                "journal": folder / "journal.sqlite3",
                "results": folder / "results",
                "port": self.port,
                "open_browser": False,
                **settings,
            }
        )
        self.studio = make_studio(self.settings, base_url=base_url, token=token)
        self.server = Server(self.studio, self.port)
        self._listener = listener
        self._thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sockets(self) -> list[socket.socket]:
        """What it listens on."""
        return [each for server in self.server.servers for each in server.sockets]

    @property
    def link(self) -> str:
        return f"{self.url}{LAUNCH}{self.studio.keys.launch}"

    def results(self) -> list[StoredResult]:
        """What its gallery shows."""
        return ResultStore(self.settings.results).list()

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.server.started
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.should_exit = True
        self._thread.join(20)
        self._listener.close()


class StudioCaller(httpx.Client):
    """A browser with the studio's cookie, which sends what the studio's own pages send."""

    def __init__(self, studio: StudioThread, **headers: str) -> None:
        super().__init__(base_url=studio.url, trust_env=False, verify=False, timeout=30)
        self._link = studio.link
        self.headers.update({"Origin": studio.url, PAGE_KEY: studio.studio.keys.page, **headers})

    def __enter__(self) -> Self:
        super().__enter__()
        self.get(self._link).raise_for_status()
        return self

    def form_of(self, path: str) -> dict[str, str]:
        """The form of a page, as a browser would send it."""
        reply = self.get(path)
        reply.raise_for_status()
        return form_in(reply.text)


def form_in(page: str) -> dict[str, str]:
    """What a browser would send of the form in a page."""
    reader = FormReader()
    reader.feed(page)
    return reader.data


class FormReader(HTMLParser):
    """The form with the id "form": the names and values of its controls, as a browser takes them from the HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.data: dict[str, str] = {}
        self._inside = False
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form" and at.get("id") == "form":
            self._inside = True
        if not self._inside:
            return
        name = at.get("name", "")
        if tag == "textarea" and name:
            self._area = name
            self.data[name] = ""
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select is not None:
            if "selected" in at or self._select not in self.data:
                self.data[self._select] = at["value"]
        elif tag == "input" and name:
            kind = at.get("type", "text")
            if kind not in ("checkbox", "radio") or "checked" in at:
                self.data[name] = at.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._area is not None:
            # A browser drops a line break right behind the tag, and sends CR LF.
            text = self.data[self._area].removeprefix("\n")
            self.data[self._area] = re.sub(r"\r\n|\r|\n", "\r\n", text)
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.data[self._area] += data
