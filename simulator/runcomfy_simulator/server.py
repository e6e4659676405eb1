"""A simulator in the background of this process: `with Simulator() as sim: ... sim.url`."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

import uvicorn

from .app import World
from .background import BackgroundServer
from .catalogue import Catalogue, load
from .faults.rules import parse_script
from .profiles import PROFILES, Profile
from .settings import Settings, find_schemas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from .jobs import Job

BACKLOG = 2048


class Options(TypedDict, total=False):
    """The keyword arguments of `Simulator` that are those of `Settings`."""

    queue_seconds: float
    run_seconds: float | Mapping[str, float] | None
    slots: int
    balance: float
    request_ttl: float
    cost_delay: float
    fault_rate: float
    seed: int
    fetch_inputs: bool
    keep_jobs: int


class Simulator:
    """A local Model API on a port of its own, from `start()` to `stop()`, or inside a `with` block.

    Started again after a stop it is the same API on the same port: jobs and balances are still there.

    Args:
        schemas: a schemas folder or a saved catalogue reply; by default `./schemas`, else the package's own.
        token: the one token that is let in; by default any well-formed one, and `.token` is one.
        profile: which reading of the API, `"docs"` or `"nodes"`, or a `Profile` of your own.
        host, port: where to listen; port 0 takes a free one.
        options: see `Settings`.

    Raises:
        FileNotFoundError: there are no schemas.
        OSError: the port is taken.
    """

    def __init__(
        self,
        schemas: str | Path | Catalogue | None = None,
        *,
        token: str | None = None,
        profile: str | Profile = "docs",
        host: str = "127.0.0.1",
        port: int = 0,
        **options: Unpack[Options],
    ) -> None:
        self.catalogue = schemas if isinstance(schemas, Catalogue) else load(find_schemas(schemas))
        self.token = token or "simulated-token"
        chosen = PROFILES[profile] if isinstance(profile, str) else profile
        self.settings = replace(Settings(**options), profile=chosen, tokens=frozenset({token} if token else ()))
        self._host, self._port = host, port
        self._world = World(self.catalogue, self.settings)
        self._server: BackgroundServer | None = None

    # -- life

    def start(self) -> Self:
        """Listen; returns once requests are answered."""
        listener = listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        self._server = BackgroundServer(configure(self._world))
        self._server.launch(listener)
        return self

    def stop(self) -> None:
        """End at once, also with requests under way."""
        if self._server:
            self._server.leave()
        self._server = None
        self._world.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what a test wants to know

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return url_of(self._host, self._port)

    @property
    def accepted(self) -> int:
        """How many submits were truly accepted, whatever the client was told."""
        return self._world.engine.accepted

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The accepted jobs, oldest first, as they stand now: `.input`, `.state`, `.model_id`, ..."""
        return self._world.engine.jobs()

    @property
    def balance(self) -> float:
        """US dollars that `token` has left; may be set."""
        return self._world.engine.balance(self.token)

    @balance.setter
    def balance(self, dollars: float) -> None:
        self._world.engine.set_balance(self.token, dollars)

    def skip(self, seconds: float) -> None:
        """Let `seconds` pass at once: jobs run on, ids expire."""
        self._world.engine.clock.skip(seconds)

    def script(self, *lines: str | Path | Mapping[str, object] | Sequence[object]) -> None:
        """Set faults: lines such as "submit 1: lost reply", mappings of these, YAML, or a file. They count from now.

        Raises:
            BadScript: a line is not understood.
        """
        self._world.schedule.add(parse_script(*lines))

    def clear_script(self) -> None:
        """Take all faults of `script` back."""
        self._world.schedule.clear()

    def host(self, file: bytes | Path, name: str = "") -> str:
        """Put up a file; returns a URL that a job's input may name."""
        data = file.read_bytes() if isinstance(file, Path) else file
        return self.url + self._world.files.host(data, name or (file.name if isinstance(file, Path) else ""))


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; port 0 is a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Taken at once, a connection waits in the backlog even before the server runs.
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def url_of(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def configure(world: World) -> uvicorn.Config:
    """How uvicorn is run, here and from the command line."""
    return uvicorn.Config(
        world.app,
        http=world.wires.protocol(),
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="none",
        proxy_headers=False,
        backlog=BACKLOG,
    )
