"""`runcomfy-sim serve`: the command line of the simulator."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from .app import Application
from .background_server import AbruptServer
from .catalog import CatalogError, load
from .dialect import InvalidSchema
from .fault_injection.rules import parse_script, ready_scripts
from .profiles import PROFILES, UNDECLARED_KEYS
from .server import answered_hosts, configure, listen, make_certificate, url_of
from .settings import Settings, choose_profile, find_schemas

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    import uvicorn


# What can go wrong before anything is served; the more specific first.
_EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ValueError, 2),
    (CatalogError, 65),
    (FileNotFoundError, 66),
    (OSError, 69),
)


def run(arguments: Sequence[str]) -> int:
    """Run the command line. Exit code: 0 ok, 2 usage, 65 bad schemas, 66 no schemas, 69 port taken."""
    options = _parser().parse_args(arguments)
    try:
        server, listener = _prepare(options)
    except tuple(kind for kind, _ in _EXIT_CODES) as error:
        print(f"runcomfy-sim: {error}", file=sys.stderr)
        return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        server.application.close()
    return 0


class _Server(AbruptServer):
    """Prints a message once it answers requests."""

    def __init__(self, application: Application, config: uvicorn.Config, message: str) -> None:
        super().__init__(config)
        self.application = application
        self._message = message

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._message, flush=True)


def _prepare(options: argparse.Namespace) -> tuple[_Server, socket.socket]:
    settings = Settings(
        profile=choose_profile(options.profile, options.undeclared_keys),
        queue_seconds=options.queue_seconds,
        run_seconds=_run_times(options.run_seconds),
        slots=options.slots,
        tokens=frozenset(options.token),
        balance=options.balance,
        request_ttl=options.request_ttl,
        cost_delay=options.cost_delay,
        fault_rate=options.fault_rate,
        seed=options.seed,
        fetch_inputs=options.fetch_inputs,
        allow_hosts=answered_hosts(options.host, options.allow_host),
        request_seconds=options.request_seconds,
    )
    rules = parse_script(*options.script)
    folder = find_schemas(options.schemas)
    catalog = load(folder)
    for model in catalog:
        try:
            notes = model.validator.notes
        except InvalidSchema as error:
            raise CatalogError(f"{model.model_id}: {error}") from None
        for note in notes:
            print(f"runcomfy-sim: {model.model_id}: {note}", file=sys.stderr)
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        raise OSError(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}") from None
    application = Application(catalog, settings)
    application.schedule.add(rules)
    certificate = None
    if options.tls or options.ca_file:
        certificate = make_certificate(settings.allow_hosts, options.ca_file)
    port = listener.getsockname()[1]
    url = url_of(options.host, port, tls=certificate is not None)
    lines = [
        f"{len(catalog)} models from {folder}",
        f"Model API at {url} (profile {settings.profile.name}); Ctrl-C ends it",
        (
            "Any token is accepted; --token TOKEN accepts only that one"
            if not settings.tokens
            else "Only the tokens of --token are accepted"
        ),
        f"  export RUNCOMFY_BASE_URL={url}",
        f"  export RUNCOMFY_API_TOKEN={next(iter(sorted(settings.tokens)), 'any-token')}",
    ]
    if certificate is not None:
        lines.append(f"  export SSL_CERT_FILE={certificate.ca_file}")
    return _Server(application, configure(application, certificate), "\n".join(lines)), listener


def _run_times(values: Sequence[str]) -> dict[str, float] | None:
    """`2` and `kling/*=5` as run times by model; the specific ones before the general one."""
    times: dict[str, float] = {}
    general: dict[str, float] = {}
    for text in values:
        pattern, equals, seconds = text.rpartition("=")
        try:
            (times if equals else general)[pattern if equals else "*"] = float(seconds)
        except ValueError:
            raise ValueError(f"--run-seconds {text}: give seconds, or MODEL_GLOB=SECONDS") from None
    return {**times, **general} or None


def port(text: str) -> int:
    """A port number; argparse shows this function's name in its message."""
    number = int(text)
    if not 0 <= number <= 65_535:
        raise ValueError(text)
    return number


class _Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of an option, unless it is None, an empty list or False."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        show = action.default not in (None, []) and action.default is not False
        return super()._get_help_string(action) if show else action.help


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="runcomfy-sim", description="A local Model API that behaves like RunComfy's.")
    parser.add_argument("--version", action="version", version=version("runcomfy-client"))
    serve = parser.add_subparsers(required=True, metavar="serve").add_parser(
        "serve", help="serve the models of a schemas folder", formatter_class=_Defaults
    )
    add = serve.add_argument
    add(
        "--schemas",
        metavar="DIR",
        help="schemas folder, or a saved catalog reply (default: the project's, else ./schemas, else what ships)",
    )
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=port, default=8787, help="0 takes a free one")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="also answer requests for this host name; may be repeated (default: loopback names only)",
    )
    add("--tls", action="store_true", help="serve https, with a certificate made for this run")
    add("--ca-file", type=Path, metavar="FILE", help="with --tls: write the certificate to trust here")
    add("--profile", choices=list(PROFILES), default="docs", help="which reading of the API to follow")
    add(
        "--undeclared-keys",
        choices=UNDECLARED_KEYS,
        help="what to do with input keys that a model's schema does not have (default: as the profile does)",
    )
    add("--queue-seconds", type=float, default=defaults.queue_seconds, metavar="S", help="minimum time in the queue")
    add(
        "--run-seconds",
        action="append",
        default=[],
        metavar="S|GLOB=S",
        help="length of a run, also per model; may be repeated",
    )
    add("--slots", type=int, default=defaults.slots, metavar="N", help="jobs that run at the same time")
    add(
        "--token",
        action="append",
        default=[],
        metavar="TOKEN",
        help="accept only this token; may be repeated (default: any token)",
    )
    add("--balance", type=float, default=defaults.balance, metavar="USD", help="starting balance of each token")
    add(
        "--request-ttl",
        type=float,
        default=defaults.request_ttl,
        metavar="S",
        help="how long ended jobs are remembered",
    )
    add("--cost-delay", type=float, default=defaults.cost_delay, metavar="S", help="delay until a job's cost is known")
    add(
        "--fault-rate",
        type=float,
        default=defaults.fault_rate,
        metavar="P",
        help="share of requests that meet a fault, 0 to 1",
    )
    add(
        "--script",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="faults, as YAML or JSON, or a ready script: " + ", ".join(ready_scripts()),
    )
    add("--seed", type=int, default=defaults.seed, metavar="N", help="seed of the random faults")
    add(
        "--request-seconds",
        type=float,
        default=defaults.request_seconds,
        metavar="S",
        help="how long a client may take to send a request",
    )
    add("--fetch-inputs", action="store_true", help="fetch media inputs from other hosts too, to check them")
    return parser
