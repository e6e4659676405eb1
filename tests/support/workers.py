"""Workers of a batch over many machines, as processes of their own, and the books of what they did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from runcomfy_client.batch.batch import view_of
from runcomfy_client.errors import RunComfyError

from tests.support.batches import check_books

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from runcomfy_client.batch.folder import BatchView
    from runcomfy_simulator import Simulator

# Leases of the queue are shortened, so that a test need not wait long for what a dead worker leaves behind.
PROGRAM = """
import json, logging, signal, sys
from runcomfy_client.batch.cluster import engine, queue, store
from runcomfy_client.client import SyncClient

state, url, token, rows, folder, options = sys.argv[1:7]
options = json.loads(options)
lease = options.pop("lease")
for module in (engine, queue, store):
    module.LEASE_SECONDS = lease
logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
with SyncClient(token, url) as client:
    batch = client.batch(rows or None, folder, state=state, name="batch", max_unsure=100_000, **options)
    signal.signal(signal.SIGTERM, lambda *_: batch.stop())
    for item in batch.run():
        pass
    print("stopped", batch.stopped, flush=True)
"""


class Workers:
    """Starts, kills and freezes workers of one batch. Each has a folder of its own, as each machine has."""

    def __init__(self, sim: Simulator, state: str, folder: Path, *, lease: float = 15.0) -> None:
        self.sim = sim
        self.state = state
        self.folder = folder
        self.lease = lease
        self.running: list[subprocess.Popen[str]] = []
        self._number = 0

    def start(self, rows: Path | None = None, **options: Any) -> subprocess.Popen[str]:
        """Begin the batch with these rows, or join it."""
        self._number += 1
        folder = self.folder / f"worker-{self._number}"
        words = [self.state, self.sim.url, self.sim.token, str(rows or ""), str(folder)]
        log = (self.folder / f"worker-{self._number}.log").open("w")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words, json.dumps({"lease": self.lease, **options})],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.running.append(process)
        return process

    def wait_until_loaded(self) -> None:
        """Until other workers can join."""
        end = time.monotonic() + 60
        while True:
            try:
                view = self.view()
                total = view.status().total
                view.close()
                if total:
                    return
            except RunComfyError:
                assert time.monotonic() < end, self.logs()
            time.sleep(0.1)

    def kill(self, process: subprocess.Popen[str]) -> None:
        self.running.remove(process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()

    def drain(self, process: subprocess.Popen[str]) -> None:
        """End it as Ctrl-C does."""
        self.running.remove(process)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        assert out.splitlines()[-1:] == ["stopped interrupted"], self.logs()

    def finish(self, seconds: float) -> list[str]:
        """Wait for all of them; returns what each says at its end."""
        endings = []
        for process in self.running:
            try:
                out, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                self.stop()
                raise AssertionError(f"not over: {self.view().status()}\n{self.logs()}") from None
            endings.append(out.splitlines()[-1] if process.returncode == 0 and out else f"exit {process.returncode}")
        self.running.clear()
        return endings

    def stop(self) -> None:
        for process in list(self.running):
            self.kill(process)

    def logs(self) -> str:
        return "\n".join(f"{path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log")))

    def view(self) -> BatchView:
        return view_of("batch", self.state)

    def check_books(self, count: int) -> Counter[str]:
        """As `batches.check_books`."""
        view = self.view()
        counts = check_books(self.sim, view, list(view.facts()), count, self.logs())
        view.close()
        return counts
