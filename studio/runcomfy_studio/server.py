"""Starting the studio: a server that this computer alone can reach, and a browser at its page."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import webbrowser
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn

from .app import make_app
from .security import LAUNCH
from .settings import Settings
from .studio import make_studio

if TYPE_CHECKING:
    from pathlib import Path

    from .studio import Studio

__all__ = ["Settings", "serve"]

HOST = "127.0.0.1"


def _is_worth_showing(record: logging.LogRecord) -> bool:
    """Not what uvicorn says, with a traceback, of a request that the end of the studio cuts off."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError) and "graceful shutdown" not in record.getMessage()


class Server(uvicorn.Server):
    """Says where it is as soon as it answers."""

    def __init__(self, studio: Studio, port: int) -> None:
        config = uvicorn.Config(
            make_app(studio),
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=3,
        )
        logging.getLogger("uvicorn.error").addFilter(_is_worth_showing)
        super().__init__(config)
        self._studio = studio
        self._port = port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        link = f"http://{HOST}:{self._port}{LAUNCH}{self._studio.keys.launch}"
        print(f"The studio is at {link}\nCtrl-C ends it.", file=sys.stderr, flush=True)
        if self._studio.settings.open_browser:
            open_browser(self._studio.settings.folder, link)


def serve(settings: Settings) -> int:
    """Run the studio until Ctrl-C. Raises OSError if the port is taken or a folder cannot be written, JournalError if
    the journal cannot be read.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((HOST, settings.port)))
        settings = replace(settings, port=listener.getsockname()[1])
        base_url = token = None
        if settings.simulate:
            from runcomfy_simulator import Simulator  # an extra of its own

            simulator = stack.enter_context(Simulator())
            base_url, token = simulator.url, simulator.token
        studio = make_studio(settings, base_url=base_url, token=token)
        studio.client.journal.pending()  # one that cannot be read is better reported before there is a page
        Server(studio, settings.port).run([listener])
    return 0


def open_browser(folder: Path, link: str) -> None:
    """Open the link by way of a file: every user of the computer can read the arguments of a browser."""
    file = folder / "launch.html"
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(
        f'<!doctype html><meta charset="utf-8"><title>RunComfy studio</title>'
        f'<meta http-equiv="refresh" content="0;url={link}"><p><a href="{link}">Open the studio</a>',
        encoding="utf-8",
    )
    with suppress(OSError, webbrowser.Error):  # the link stands in the terminal, too
        webbrowser.open(file.as_uri())
