"""probe=True: little is read, over https only, from public addresses only, in bounded time; the rest is told."""

from __future__ import annotations

import contextlib
import io
import ipaddress
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import runcomfy
import trustme
from PIL import Image
from runcomfy_client.media import probe as remote
from runcomfy_client.media.probe import Probe
from runcomfy_client.packages import validate_spec
from runcomfy_client.schema import AnyOf, Array, Enum, Media, MediaRule, ModelSpec, Object, Property, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Picture

INNER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]
RULES = (MediaRule("file_size_mb", "<=", 1, "Too large."), MediaRule("width_pixels", "<=", 100, "Too wide."))
SPEC = ModelSpec(
    "a/b",
    Object(
        {
            "images": Property(Array(Media("image"), rules=RULES)),
            "video": Property(Media("video", rules=RULES)),
            "either": Property(AnyOf(Enum(("none",)), Media("image", rules=RULES))),
        }
    ),
)


class Host(ThreadingHTTPServer):
    """A web server on the loopback, over TLS, that counts what it is asked."""

    daemon_threads = True

    def __init__(self, server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = server_context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.sent = 0
        self.probe = Probe(allow_private=True, context=client_context, timeout=5)

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that has seen enough hangs up."""

    def url(self, path: str) -> str:
        return f"https://localhost:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        assert "Authorization" not in self.headers
        path, _, how = self.path.partition("?")
        if how.startswith("to="):
            self.send_response(302)
            self.send_header("Location", how.removeprefix("to="))
            self.end_headers()
            return
        if path not in self.server.files:
            self.send_error(404)
            return
        data = self.server.files[path]
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last) + 1]
        if how == "whole":
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            part = data
        elif how == "endless":
            self.send_response(200)
            part = data + bytes(8 * 1024 * 1024)
        elif how == "sizeless":
            self.send_response(200)
        else:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        self.end_headers()
        with contextlib.suppress(OSError):
            if how in ("drip", "sizeless"):
                for place in range(len(part)):
                    self.wfile.write(part[place : place + 1])
                    time.sleep(0.2)
            for place in range(0, len(part), 65536):
                self.wfile.write(part[place : place + 65536])
                self.server.sent += len(part[place : place + 65536])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests look at ``asked``."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def host(authority: trustme.CA) -> Iterator[Host]:
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    server = Host(server_context, client_context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def probed(host: Host, probe: Probe | None = None, **payload: object) -> Report:
    return validate_spec(SPEC, payload, probe or host.probe)


def trusted(host: Host) -> ssl.SSLContext:
    assert host.probe.context is not None
    return host.probe.context


def test_rules_of_a_url_are_checked(host: Host, picture: Picture) -> None:
    host.files = {"/good.png": picture("PNG", (90, 60)), "/wide.webp": picture("WEBP", (101, 60))}
    report = probed(host, images=[host.url("/good.png"), host.url("/wide.webp")], either=host.url("/wide.webp"))
    assert [(problem.path, problem.code) for problem in report.errors] == [
        ("/either", "media_rule"),
        ("/images/1", "media_rule"),
    ]
    assert report.errors[0].message.startswith("Too wide. (given: 101 x 60 pixels")
    assert not report.unchecked
    assert sorted(host.asked) == ["/good.png", "/wide.webp"]


def test_only_the_first_bytes_are_read(host: Host) -> None:
    packed = io.BytesIO()
    Image.effect_noise((1500, 1500), 90).convert("RGB").save(packed, "PNG")
    host.files = {"/large.png": packed.getvalue()}
    assert len(packed.getvalue()) > 4_000_000
    report = probed(host, images=[host.url("/large.png")])
    assert [problem.message[:9] for problem in report.errors] == ["Too large", "Too wide."]
    assert host.sent <= 256 * 1024


@pytest.mark.parametrize("how", ["whole", "endless"])
def test_a_server_that_knows_no_range(host: Host, picture: Picture, how: str) -> None:
    host.files = {"/a.jpg": picture("JPEG", (101, 60))}
    report = probed(host, images=[host.url(f"/a.jpg?{how}")])
    assert [problem.message[:9] for problem in report.errors] == ["Too wide."]
    assert [str(finding.rule) for finding in report.unchecked] == (["file_size_mb <= 1"] if how == "endless" else [])
    assert host.sent < 6 * 1024 * 1024  # what the kernel takes off the server before the client has gone


def test_what_is_not_in_the_first_bytes_stays_unchecked(host: Host, sample: dict[str, bytes]) -> None:
    film = sample["one_second.mov"]
    place = film.index(b"moov") - 4
    head = bytearray(film[:place])
    head += (400_000).to_bytes(4, "big") + b"free" + bytes(400_000 - 8)
    host.files = {"/v.mov": bytes(head) + film[place:]}
    report = probed(host, video=host.url("/v.mov"))
    assert report.ok
    (finding,) = report.unchecked
    assert "not within its first bytes" in finding.message


def test_the_kind_is_checked_too(host: Host) -> None:
    host.files = {"/a.png": b"<!doctype html><title>Please log in</title>"}
    assert [problem.code for problem in probed(host, images=[host.url("/a.png")]).errors] == ["media_kind"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/none.png", "answers 404"),
        ("/?to=http://localhost/a.png", "leads to http"),
        ("/?to=https://user:secret@localhost/a.png", "holds a user name"),
        ("/?to=/%3Fto=/", "answers 404"),
    ],
)
def test_what_could_not_be_learned_is_reported_and_refuses_nothing(host: Host, path: str, reason: str) -> None:
    report = probed(host, images=[host.url(path)])
    assert report.ok
    (warning,) = report.warnings
    assert warning.code == "media_url"
    assert reason in warning.message
    assert len(report.unchecked) == 2
    assert all(reason in finding.message for finding in report.unchecked)


def test_a_ring_of_redirects_ends(host: Host) -> None:
    host.files = {}
    (warning,) = probed(host, images=[host.url(f"/?to={host.url('/')}?to=x")]).warnings
    assert warning.code == "media_url"
    assert len(host.asked) < 10


@pytest.mark.parametrize("how", ["drip", "sizeless"])
def test_a_server_that_drips_is_left_in_time(host: Host, picture: Picture, how: str) -> None:
    host.files = {"/a.png": picture("PNG")}
    probe = Probe(allow_private=True, context=host.probe.context, timeout=1)
    started = time.monotonic()
    (warning,) = probed(host, probe, images=[host.url(f"/a.png?{how}")]).warnings
    assert time.monotonic() - started < 10
    assert "did not answer" in warning.message


@pytest.mark.parametrize("how", ["drip", "sizeless"])
def test_bytes_cut_off_by_the_clock_are_no_answer(host: Host, picture: Picture, how: str) -> None:
    # Asked below look(), whose own clock runs out at the same moment and would hide what a late answer says.
    host.files = {"/a.png": picture("PNG")}
    seen = remote._inspect_url(host.url(f"/a.png?{how}"), host.probe, trusted(host), time.monotonic() + 1)
    assert seen.info is None
    assert "did not answer in time" in seen.reason


def test_a_server_that_never_speaks_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://localhost:{silent.getsockname()[1]}/a.png"
        started = time.monotonic()
        report = validate_spec(SPEC, {"images": [url] * 3}, Probe(allow_private=True, timeout=0.5))
        assert time.monotonic() - started < 10
        assert len(report.warnings) == 3


def test_a_certificate_that_is_not_trusted(host: Host) -> None:
    (warning,) = probed(host, Probe(allow_private=True), images=[host.url("/a.png")]).warnings
    assert "certificate" in warning.message
    assert host.asked == []


def test_private_addresses_are_refused_unless_allowed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Probe(context=host.probe.context)
    (warning,) = probed(host, closed, images=[host.url("/a.png")]).warnings
    assert "not a public address" in warning.message
    # Also where a public name leads there, where only one of several addresses does, and behind a redirect.
    for addresses in (
        ["10.1.2.3"],
        ["1.1.1.1", "192.168.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%1"],
        ["64:ff9b::a00:1"],  # addresses that gateways translate to 10.0.0.1
        ["2002:a00:1::"],
        ["2001:0:4136:e378:8000:63bf:f5ff:fffe"],
        # Not public either, though Python 3.11 takes them for it.
        ["64:ff9b:1::a00:1"],
        ["fec0::1"],
        ["::127.0.0.1"],
        ["::ffff:0:10.0.0.1"],
        ["192.0.0.8"],
    ):
        answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, answer=answer, **__: answer)
        (warning,) = probed(host, closed, images=["https://public.example/a.png"]).warnings
        assert "not a public address" in warning.message
    assert host.asked == []


def test_a_redirect_to_a_private_address_is_refused(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    port = host.server_address[1]

    def answers(name: str, *rest: object, **more: object) -> object:
        # "localhost" stands for a public host here; the name it leads to is not public.
        return real("127.0.0.1", port) if name in ("localhost", "127.0.0.1") else INNER

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(ipaddress.IPv4Address, "is_global", property(lambda address: str(address) == "127.0.0.1"))
    closed = Probe(context=host.probe.context, timeout=5)
    (warning,) = probed(host, closed, images=[host.url("/?to=https://inner.example/")]).warnings
    assert host.asked == ["/?to=https://inner.example/"]
    assert "'inner.example' is at 10.0.0.1" in warning.message


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://no-such-host.invalid/a.png", "has no address"),
        ("https://[/a.png", "no URL that can be fetched"),
        ("https://localhost:99999/a.png", "no URL that can be fetched"),
        ("https://a..b/a.png", "no URL that can be fetched"),
        ("https://localhost:9/a.png", "Connection refused"),
    ],
)
def test_a_url_that_cannot_be_asked(host: Host, url: str, reason: str) -> None:
    (warning,) = probed(host, images=[url]).warnings
    assert warning.message.startswith("the URL could not be looked at: ")
    assert reason in warning.message


def test_nothing_is_asked_for_what_is_wrong_already(host: Host) -> None:
    report = probed(host, images=["http://localhost/a.png", "cat.png", 5], either="none")
    assert len(report.errors) == 3
    assert host.asked == []


def test_the_public_function_takes_a_probe(host: Host, picture: Picture) -> None:
    host.files = {"/a.png": picture("PNG", (900, 100))}
    payload = {"image_urls": [host.url("/a.png")], "prompt": "x"}
    report = runcomfy.validate("bytedance/dreamina-4-0/edit", payload, host.probe)
    assert [problem.message[:22] for problem in report.errors] == ["The input image aspect"]
    assert (
        not runcomfy.validate("bytedance/dreamina-4-0/edit", payload, probe=True).unchecked[0].message.startswith("of")
    )
