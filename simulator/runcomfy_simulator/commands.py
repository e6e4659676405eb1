"""`runcomfy-sim serve`: the command line of the simulator."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from .app import World
from .catalogue import CatalogueError, load
from .dialect import BadSchema
from .faults.rules import parse_script
from .profiles import PROFILES
from .server import configure, listen, url_of
from .settings import Settings, find_schemas

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence


# What goes wrong before anything is served; the more particular first.
_EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ValueError, 2),
    (CatalogueError, 65),
    (FileNotFoundError, 66),
    (OSError, 69),
)


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says. Exit code: 0 ok, 2 usage, 65 bad schemas, 66 no schemas, 69 port taken."""
    options = _parser().parse_args(arguments)
    try:
        server, listener = _prepare(options)
    except tuple(kind for kind, _ in _EXIT_CODES) as fault:
        print(f"runcomfy-sim: {fault}", file=sys.stderr)
        return next(code for kind, code in _EXIT_CODES if isinstance(fault, kind))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        server.world.close()
    return 0


class _Server(uvicorn.Server):
    """Says where it is once it answers, and once a signal ends it well."""

    def __init__(self, world: World, greeting: str) -> None:
        super().__init__(configure(world))
        self.world = world
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._greeting, flush=True)


def _prepare(options: argparse.Namespace) -> tuple[_Server, socket.socket]:
    settings = Settings(
        profile=PROFILES[options.profile],
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
    )
    rules = parse_script(*options.script)
    folder = find_schemas(options.schemas)
    catalogue = load(folder)
    for model in catalogue:
        try:
            notes = model.judge.notes
        except BadSchema as fault:
            raise CatalogueError(f"{model.model_id}: {fault}") from None
        for note in notes:
            print(f"runcomfy-sim: {model.model_id}: {note}", file=sys.stderr)
    try:
        listener = listen(options.host, options.port)
    except OSError as fault:
        raise OSError(f"cannot listen on {options.host}:{options.port}: {fault.strerror}") from None
    world = World(catalogue, settings)
    world.schedule.add(rules)
    url = url_of(options.host, listener.getsockname()[1])
    greeting = (
        f"{len(catalogue)} models from {folder}\n"
        f"Model API at {url} (profile {settings.profile.name}); Ctrl-C ends it\n"
        f"  export RUNCOMFY_BASE_URL={url}\n"
        f"  export RUNCOMFY_API_TOKEN={next(iter(settings.tokens), 'any-token')}"
    )
    return _Server(world, greeting), listener


def _run_times(given: Sequence[str]) -> dict[str, float] | None:
    """`2` and `kling/*=5` as run times by model; the particular ones before the general."""
    times: dict[str, float] = {}
    general: dict[str, float] = {}
    for text in given:
        pattern, equals, seconds = text.rpartition("=")
        try:
            (times if equals else general)[pattern if equals else "*"] = float(seconds)
        except ValueError:
            raise ValueError(f"--run-seconds {text}: give seconds, or MODEL_GLOB=SECONDS") from None
    return {**times, **general} or None


def port(text: str) -> int:
    """The number of a port; argparse shows this function's name to the user."""
    number = int(text)
    if not 0 <= number <= 65_535:
        raise ValueError(text)
    return number


class _Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of an option that has one: None, an empty list and False tell nobody anything."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        told = action.default not in (None, []) and action.default is not False
        return super()._get_help_string(action) if told else action.help


def _parser() -> argparse.ArgumentParser:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="runcomfy-sim", description="A local Model API that behaves like RunComfy's.")
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
    add("--profile", choices=sorted(PROFILES), default="docs", help="whose reading of the API to follow")
    add("--queue-seconds", type=float, default=usual.queue_seconds, metavar="S", help="least time in the queue")
    add("--run-seconds", action="append", default=[], metavar="S|GLOB=S", help="time of a run; may be given per model")
    add("--slots", type=int, default=usual.slots, metavar="N", help="jobs that run at the same time")
    add("--token", action="append", default=[], metavar="TOKEN", help="let in only this token; may be given again")
    add("--balance", type=float, default=usual.balance, metavar="USD", help="what each token owns at first")
    add("--request-ttl", type=float, default=usual.request_ttl, metavar="S", help="how long ended jobs are remembered")
    add("--cost-delay", type=float, default=usual.cost_delay, metavar="S", help="how late a job's cost becomes known")
    add(
        "--fault-rate",
        type=float,
        default=usual.fault_rate,
        metavar="P",
        help="share of requests that meet a fault, 0 to 1",
    )
    add("--script", action="append", default=[], type=Path, metavar="FILE", help="faults, as YAML or JSON")
    add("--seed", type=int, default=usual.seed, metavar="N", help="which faults, when")
    add("--fetch-inputs", action="store_true", help="fetch media inputs from other hosts too, to check them")
    return parser
