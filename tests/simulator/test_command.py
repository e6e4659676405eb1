"""`runcomfy-sim serve` as a user runs it, and what it says when it cannot."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.load import simulator_process
from tests.support.scripts import run_script
from tests.support.simulator import IMAGE

if TYPE_CHECKING:
    from tests.support.cli import Answer

COMMAND = str(Path(sys.executable).with_name("runcomfy-sim"))


def run(*arguments: str | Path) -> Answer:
    return run_script("runcomfy-sim", arguments, timeout=20)


def test_serving_with_every_option(schemas: Path, tmp_path: Path) -> None:
    script = tmp_path / "faults.yaml"
    script.write_text("balance 2: 503\n", encoding="utf-8")
    options = [
        "--profile",
        "nodes",
        "--undeclared-keys",
        "refuse",
        "--queue-seconds",
        "0",
        "--run-seconds",
        "9",
        "--run-seconds",
        "acme/draw-1/*=0",
    ]
    more = ["--slots", "3", "--token", "a", "--token", "b", "--balance", "7", "--seed", "4", "--script", str(script)]
    with simulator_process(schemas, *options, *more) as (_, host, port):
        base = f"http://{host}:{port}"
        with httpx.Client(base_url=base, headers={"Authorization": "Bearer b"}) as client:
            assert client.get("/prod/v2/balance").json()["balance_usd"] == 7
            assert client.get("/prod/v2/balance").status_code == 503
            accepted = client.post(f"/v1/models/{IMAGE}", json={"prompt": "a"})
            assert accepted.status_code == 202
            assert client.post(f"/v1/models/{IMAGE}", json={"prompt": "a", "lora_": 1}).status_code == 400
            assert client.get(accepted.json()["result_url"]).json()["status"] == "succeeded"
            assert client.get("/v1/models", headers={"Authorization": "Bearer c"}).status_code == 401


def test_it_ends_cleanly_and_at_once_on_a_signal(schemas: Path, tmp_path: Path) -> None:
    script = tmp_path / "faults.yaml"
    script.write_text("catalog 1: latency 60\n", encoding="utf-8")
    for end in (signal.SIGINT, signal.SIGTERM):
        command = [COMMAND, "serve", "--port", "0", "--schemas", str(schemas), "--script", str(script)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert "4 models" in process.stdout.readline()
            address = re.search(r"http://(127\.0\.0\.1):(\d+)", process.stdout.readline())
            assert address
            assert "Any token is accepted" in process.stdout.readline()
            with socket.create_connection((address[1], int(address[2]))) as client:
                client.sendall(b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n")
                time.sleep(0.2)  # the request is under way
                process.send_signal(end)
                _, errors = process.communicate(timeout=10)
        assert process.returncode in (0, -end)
        assert errors == ""


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "serve"),
        (["serve", "--slots", "0"], 2, "slots is 0"),
        (["serve", "--port", "99999"], 2, "invalid port value"),
        (["serve", "--fault-rate", "2"], 2, "a share between 0 and 1"),
        (["serve", "--queue-seconds", "-1"], 2, "0 or more"),
        (["serve", "--queue-seconds", "nan"], 2, "0 or more"),
        (["serve", "--run-seconds", "kling/*=soon"], 2, "give seconds, or MODEL_GLOB=SECONDS"),
        (["serve", "--script", "none.yaml"], 2, "the ready scripts are another-model, status-404, status-504"),
        (["serve", "--profile", "none"], 2, "'docs', 'nodes', 'zapier', 'third-party'"),
        (["serve", "--request-seconds", "0"], 2, "a client needs time"),
        (["serve", "--schemas", "none"], 66, "name their folder with --schemas DIR"),
    ],
)
def test_bad_options(arguments: list[str], code: int, says: str) -> None:
    done = run(*arguments)
    assert done.code == code
    assert says in done.err
    assert "Traceback" not in done.err


def test_a_schema_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "input.json").write_text("{", encoding="utf-8")
    done = run("serve", "--schemas", tmp_path)
    assert (done.code, "input.json" in done.err) == (65, True)


def test_a_schema_that_is_no_schema(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "input.json").write_text('{"properties": []}', encoding="utf-8")
    done = run("serve", "--schemas", tmp_path)
    assert (done.code, "a: /properties: [] is not of type 'object'" in done.err) == (65, True)


def test_a_port_that_is_taken(schemas: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--schemas", schemas, "--port", str(taken.getsockname()[1]))
    assert (done.code, "cannot listen" in done.err) == (69, True)


def test_what_no_input_could_have_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    faulty = {"type": "object", "required": ["ghost"], "properties": {"x": {"type": "video"}}}
    (tmp_path / "a" / "input.json").write_text(json.dumps(faulty), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--schemas", tmp_path, "--port", str(taken.getsockname()[1]))
    assert "a: /required: ghost is required but not defined" in done.err
    assert "'video' is not a type" in done.err


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""


@pytest.mark.parametrize(
    "missing",
    [
        "starlette",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("uvicorn", "av", "yaml", "jsonschema", "jsonpatch", "httptools")
        ),
    ],
)
def test_without_the_extra_it_says_which(missing: str) -> None:
    program = BLOCKED.format(names={missing}) + "from runcomfy_simulator.console import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert missing in done.stderr
    assert 'pip install "runcomfy-client[simulator]"' in done.stderr
    assert "Traceback" not in done.stderr
