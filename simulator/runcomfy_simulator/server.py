"""A simulator in the background of this process: `with Simulator() as sim: ... sim.url`."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

import uvicorn

from .app import Application
from .background_server import BackgroundServer
from .catalog import Catalog, load
from .fault_injection.rules import parse_script
from .settings import Settings, choose_profile, find_schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from .certificate import Certificate
    from .jobs import Job
    from .profiles import Profile

BACKLOG = 2048
_ANY_ADDRESS = ("", "0.0.0.0", "::")


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
    request_seconds: float


class Simulator:
    """A local Model API on a port of its own, from `start()` to `stop()`, or inside a `with` block.

    Started again after a stop it is the same API on the same port: jobs and balances are still there.

    Args:
        schemas: a schemas folder or a saved catalog reply; by default `./schemas`, else the package's own.
        token: the one token that is taken; by default any well-formed one, and `.token` is one.
        profile: which reading of the API: a name in `PROFILES`, or a `Profile` of your own.
        undeclared_keys: overrides what the profile does with keys that a model's schema does not have: `"refuse"`,
            `"ignore"` or `"take"`.
        host, port: where to listen; port 0 takes a free one.
        allow_hosts: names, besides loopback names, under which requests are answered.
        tls: serve https, with a certificate made for this simulator; `.ca_file` is what clients must trust.
        options: see `Settings`.

    Raises:
        FileNotFoundError: there are no schemas.
        CatalogError: the schemas cannot be read.
        ValueError: an option has no such value.
        OSError: the port is taken.
    """

    def __init__(
        self,
        schemas: str | Path | Catalog | None = None,
        *,
        token: str | None = None,
        profile: str | Profile = "docs",
        undeclared_keys: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_hosts: Iterable[str] = (),
        tls: bool = False,
        **options: Unpack[Options],
    ) -> None:
        self.catalog = schemas if isinstance(schemas, Catalog) else load(find_schemas(schemas))
        self.token = token or "simulated-token"
        if isinstance(profile, str):
            profile = choose_profile(profile, undeclared_keys)
        elif undeclared_keys:
            raise ValueError("undeclared_keys is a field of your profile; set it there")
        self.settings = replace(
            Settings(**options),
            profile=profile,
            tokens=frozenset({token} if token else ()),
            allow_hosts=answered_hosts(host, allow_hosts),
        )
        self._host, self._port = host, port
        self._application = Application(self.catalog, self.settings)
        self._certificate = make_certificate(self.settings.allow_hosts) if tls else None
        self._server: BackgroundServer | None = None

    # -- start and stop

    def start(self) -> Self:
        """Listen; returns once requests are answered."""
        listener = listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        self._server = BackgroundServer(configure(self._application, self._certificate))
        self._server.start(listener)
        return self

    def stop(self) -> None:
        """End at once, also with open requests."""
        if self._server:
            self._server.stop()
        self._server = None
        self._application.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what a test looks at and changes

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return url_of(self._host, self._port, tls=self._certificate is not None)

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust, with `tls=True`; it is deleted when this process ends.

        Raises:
            AttributeError: this simulator serves plain http.
        """
        if self._certificate is None:
            raise AttributeError("ca_file: this simulator serves plain http; start it with tls=True")
        return self._certificate.ca_file

    @property
    def accepted(self) -> int:
        """How many submits were really accepted, whatever reply the client saw."""
        return self._application.engine.accepted

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The accepted jobs, oldest first, as they are now: `.input`, `.state`, `.model_id`, ..."""
        return self._application.engine.jobs()

    @property
    def balance(self) -> float:
        """US dollars that `token` has left; can be set."""
        return self._application.engine.balance(self.token)

    @balance.setter
    def balance(self, dollars: float) -> None:
        self._application.engine.set_balance(self.token, dollars)

    def skip(self, seconds: float) -> None:
        """Move the clock `seconds` forward: jobs continue, ids expire."""
        self._application.engine.clock.skip(seconds)

    def script(self, *lines: str | Path | Mapping[str, object] | Sequence[object]) -> None:
        """Set faults: lines such as "submit 1: lost reply", mappings of these, YAML, a file, a ready script's name.

        They count requests from now on.

        Raises:
            ScriptError: a line is not understood.
        """
        self._application.schedule.add(parse_script(*lines))

    def clear_script(self) -> None:
        """Remove all faults of `script`."""
        self._application.schedule.clear()

    def host(self, file: bytes | Path, name: str = "") -> str:
        """Upload a file; returns a URL that a job's input can name.

        Raises:
            ValueError: the file is larger than 128 MB.
        """
        data = file.read_bytes() if isinstance(file, Path) else file
        return self.url + self._application.files.upload(data, name or (file.name if isinstance(file, Path) else ""))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Connections wait in the backlog even before the server runs.
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def url_of(host: str, port: int, *, tls: bool = False) -> str:
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def answered_hosts(host: str, allow_hosts: Iterable[str]) -> frozenset[str]:
    """The names that are answered besides loopback names: also the address that is listened on, if it is just one."""
    return frozenset({*allow_hosts, *(() if host in _ANY_ADDRESS else (host,))})


def make_certificate(hosts: Iterable[str], ca_file: Path | None = None) -> Certificate:
    """A certificate for loopback names and `hosts`."""
    from .certificate import Certificate  # trustme and its cryptography are slow to import

    return Certificate(hosts, ca_file)


def configure(application: Application, certificate: Certificate | None = None) -> uvicorn.Config:
    """How uvicorn is run, here and from the command line."""
    config = uvicorn.Config(
        application.app,
        http=application.connections.protocol(),
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="none",
        proxy_headers=False,
        backlog=BACKLOG,
    )
    if certificate is not None:
        config.load()
        config.ssl = certificate.context
    return config
