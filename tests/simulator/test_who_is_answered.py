"""Which hosts, pages and senders the simulator answers: host names, web pages of other origins, https, and limits."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.load import simulator_process
from tests.support.simulator import EDIT, IMAGE

if TYPE_CHECKING:
    from pathlib import Path

    from runcomfy_simulator import Simulator

    from tests.support.simulator import Call, Start


def address(simulator: Simulator) -> tuple[str, int]:
    parts = urlsplit(simulator.url)
    return str(parts.hostname), int(parts.port or 0)


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("localhost:8787", 200),
        ("LOCALHOST.", 200),
        ("api.localhost", 200),
        ("127.0.0.1", 200),
        ("127.9.9.9:1", 200),
        ("[::1]:8787", 200),
        ("sim.runcomfy.net", 200),
        ("SIM.runcomfy.net.:443", 200),
        ("evil.example", 421),
        ("sim.runcomfy.net.evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil-localhost", 421),
        ("192.168.1.1", 421),
        ("", 421),
    ],
)
def test_only_loopback_names_and_allowed_ones_are_answered(start: Start, call: Call, host: str, code: int) -> None:
    caller = call(start(allow_hosts=["Sim.runcomfy.net"]))
    for path in ("/v1/models", "/simulator/jobs", "/docs", "/nothing", "/files/a/b"):
        reply = caller.get(path, headers={"Host": host})
        assert (reply.status_code == 421) is (code == 421), path
    if code == 421:
        assert "--allow-host" in reply.text


def test_two_hosts_are_no_host(start: Start) -> None:
    with socket.create_connection(address(start())) as client:
        client.sendall(b"GET /simulator/jobs HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 421 ")


def test_pages_of_other_origins_are_not_answered(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    file = urlsplit(caller.output(IMAGE, prompt="a")["images"][0]).path
    for origin in ("https://evil.example", "http://localhost:1", "null", "http://[", ""):
        headers = {"Origin": origin}
        assert caller.post("/simulator/script", content="submit *: 503", headers=headers).status_code == 403
        assert caller.get("/simulator/jobs", headers=headers).status_code == 403
        body = {"prompt": "a"}
        assert caller.post(f"/v1/models/{IMAGE}", json=body, headers=headers).status_code == 403
        assert caller.get(file, headers=headers).status_code == 200
    own = {"Origin": simulator.url}
    assert caller.post(f"/v1/models/{IMAGE}", json={"prompt": "a"}, headers=own).status_code == 200
    assert simulator.accepted == 2


def test_urls_follow_the_host_that_was_asked(start: Start, call: Call) -> None:
    caller = call(start(allow_hosts=["sim.runcomfy.net"]))
    headers = {"Host": "sim.runcomfy.net"}
    accepted = caller.post(f"/v1/models/{IMAGE}", json={"prompt": "a"}, headers=headers).json()
    assert accepted["status_url"].startswith("http://sim.runcomfy.net/v1/requests/")
    result = caller.get(f"/v1/requests/{accepted['request_id']}/result", headers=headers).json()
    [url] = result["output"]["images"]
    assert url.startswith("http://sim.runcomfy.net/files/")
    reply = caller.post(f"/v1/models/{EDIT}", json={"images": [url]}, headers=headers)
    assert reply.status_code == 200, "its own URL, and so taken though it is no https"


def test_https_with_a_certificate_of_its_own(start: Start) -> None:
    simulator = start(tls=True, allow_hosts=["sim.runcomfy.net"])
    assert simulator.url.startswith("https://127.0.0.1:")
    trust = ssl.create_default_context(cafile=str(simulator.ca_file))
    headers = {"Authorization": "Bearer x"}
    with httpx.Client(base_url=simulator.url, headers=headers, verify=trust, trust_env=False) as client:
        asked = {"Host": "sim.runcomfy.net"}
        accepted = client.post(
            f"/v1/models/{IMAGE}", json={"prompt": "a"}, headers=asked, extensions={"sni_hostname": "sim.runcomfy.net"}
        )
        assert accepted.json()["result_url"].startswith("https://sim.runcomfy.net/v1/requests/")
        url = client.get(urlsplit(accepted.json()["result_url"]).path).json()["output"]["images"][0]
        assert url.startswith(f"{simulator.url}/files/")
        assert client.get(url).content.startswith(b"\x89PNG")
        assert client.post(f"/v1/models/{EDIT}", json={"images": [url]}).status_code == 200
        simulator.script("balance 1: drop", "balance 2: reset after 5 bytes")
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                client.get("/prod/v2/balance")
        assert client.get("/prod/v2/balance").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{simulator.url}/docs", trust_env=False)
    with pytest.raises(AttributeError, match="tls=True"):
        start().ca_file  # noqa: B018  # reading it is the test


def test_https_from_the_command_line(schemas: Path, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    with simulator_process(schemas, "--tls", "--ca-file", str(ca_file), "--queue-seconds", "0") as (_, host, port):
        trust = ssl.create_default_context(cafile=str(ca_file))
        reply = httpx.get(f"https://{host}:{port}/v1/models", headers={"Authorization": "Bearer x"}, verify=trust)
        assert reply.json()["total"] == 4


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /simulator/stats HTTP/1.1\r\nHost: loc",
        b"POST /simulator/script HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nsubmit",
        b"POST /v1/models/acme/draw-1/edit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
        b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\nGET /docs HT",
    ],
)
def test_half_requests_are_not_kept(start: Start, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    simulator = start(request_seconds=0.2)
    began = time.perf_counter()
    with socket.create_connection(address(simulator), timeout=5) as client:
        client.sendall(sent)
        received = b""
        while part := client.recv(65536):
            received += part
    assert 0.15 < time.perf_counter() - began < 3
    if sent and not sent.startswith(b"GET /docs"):
        assert received.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 400 "))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert httpx.get(f"{simulator.url}/simulator/stats").status_code == 200


def test_a_slow_reply_is_no_half_request(start: Start, call: Call) -> None:
    simulator = start(request_seconds=0.1)
    simulator.script("balance 1: latency 0.4")
    assert call(simulator).get("/prod/v2/balance").status_code == 200


def test_uploads_are_bounded(start: Start, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runcomfy_simulator.admin.LARGEST_UPLOAD", 1000)
    monkeypatch.setattr("runcomfy_simulator.files.LARGEST_UPLOAD", 1000)
    monkeypatch.setattr("runcomfy_simulator.files.KEPT_UPLOAD_BYTES", 2000)
    simulator = start()
    caller = call(simulator)
    assert caller.post("/simulator/files", content=b"x" * 1001).status_code == 413
    with pytest.raises(ValueError, match="larger than"):
        simulator.host(b"x" * 1001)
    urls = [caller.post("/simulator/files", content=b"x" * 1000).json()["url"] for _ in range(3)]
    assert [caller.get(url).status_code for url in urls] == [404, 200, 200], "the oldest goes first"
    long_name = caller.post("/simulator/files", params={"name": "../é" * 500 + "/a.png"}, content=b"x").json()["url"]
    assert len(long_name) < 200
    assert caller.get(long_name).headers["content-type"] == "image/png"


def test_other_bodies_for_the_simulator_are_bounded(start: Start, call: Call) -> None:
    caller = call(start())
    large = b'{"seconds": 1, "x": "' + b"x" * 64 * 1024 + b'"}'
    assert caller.post("/simulator/skip", content=large).status_code == 422
    assert caller.post("/simulator/balance", content=large).status_code == 422
    assert caller.post("/simulator/script", content=large).status_code == 413
    rules = "\n".join(f"- 'status {number}: 503'" for number in range(1_001))
    assert "more than 1000 rules" in caller.post("/simulator/script", content=rules).text
    assert caller.get("/v1/requests/x/status").status_code == 404


@pytest.mark.parametrize("seconds", ["-1", '"nan"', '"inf"', "1e300", "null", "[]"])
def test_times_that_cannot_be_skipped(start: Start, call: Call, seconds: str) -> None:
    caller = call(start())
    assert caller.post("/simulator/skip", content=f'{{"seconds": {seconds}}}').status_code == 422
    assert caller.post("/simulator/skip", content='{"seconds": 60}').status_code == 200


@pytest.mark.parametrize("asked", ["bytes=0-" + "9" * 5000, "bytes=-" + "9" * 5000, "bytes=" + "0" * 5000 + "-3"])
def test_long_ranges(start: Start, call: Call, asked: str) -> None:
    caller = call(start())
    url = caller.output(IMAGE, prompt="a")["images"][0]
    whole = caller.get(url).content
    reply = caller.get(url, headers={"Range": asked})
    assert (reply.status_code, reply.content) == (206, whole[:4] if asked.endswith("-3") else whole)
    assert caller.get(url, headers={"Range": "bytes=" + "9" * 5000 + "-"}).status_code == 416
