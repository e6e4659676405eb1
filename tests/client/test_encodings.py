"""Compressed replies: one encoding that was asked for is read, in bounds; bombs and stacks are refused."""

from __future__ import annotations

import functools
import gzip
import json
import resource
import zlib
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.errors import DownloadError, SubmissionUnknownError, TransportError
from runcomfy_client.transport.decoding import PIECE, Decoder
from runcomfy_client.transport.steps import TransportFailure

from tests.support.fault_proxy import FaultProxy, answer
from tests.support.http_wire import Response
from tests.support.tiny_api import PNG, TinyApi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.both import Clients

BALANCE = json.dumps({"balance_usd": 12.5, "balance_microdollars": 12_500_000, "currency": "USD"}).encode()
MB = 1024 * 1024
UNPACKED = 64 * MB


# Made when a test needs them, not when it is collected: they take seconds.
@functools.cache
def bomb() -> bytes:
    return gzip.compress(bytes(UNPACKED), mtime=0)


@functools.cache
def deflate_bomb() -> bytes:
    return zlib.compress(bytes(UNPACKED))


@functools.cache
def stacked() -> bytes:
    return gzip.compress(gzip.compress(bytes(256 * MB), mtime=0), mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def encoded(data: bytes, encoding: str) -> Response:
    return Response(200, data, {"Content-Type": "application/json", "Content-Encoding": encoding})


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (gzip.compress(BALANCE, mtime=0), "gzip"),
        (gzip.compress(BALANCE[:9], mtime=0) + gzip.compress(BALANCE[9:], mtime=0), "GZip"),
        (gzip.compress(BALANCE, mtime=0) + b"\0\0", "x-gzip"),
        (zlib.compress(BALANCE), "deflate"),
        (raw_deflate(BALANCE), "deflate"),
        (BALANCE, "identity"),
        (BALANCE, ""),
    ],
)
def test_what_was_asked_for_is_read(clients: Clients, proxy: FaultProxy, data: bytes, encoding: str) -> None:
    proxy.plan("balance", answer(encoded(data, encoding)))
    assert clients(proxy.url).balance().usd == 12.5
    assert proxy.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (stacked, "gzip, gzip", "compressed as 'gzip, gzip'"),
        (BALANCE, "br", "compressed as 'br'"),
        (BALANCE, "zstd", "compressed as 'zstd'"),
        (BALANCE, "identity, gzip", "compressed as"),
        (BALANCE, "gzip", "compressed data is broken"),
        (gzip.compress(BALANCE, mtime=0)[:-9], "gzip", "ends within its compressed data"),
        (bomb, "gzip", "larger than 8,388,608 bytes"),
        (deflate_bomb, "deflate", "larger than 8,388,608 bytes"),
    ],
)
def test_all_else_is_no_reply(
    clients: Clients, proxy: FaultProxy, body: bytes | Callable[[], bytes], encoding: str, reason: str
) -> None:
    data = body if isinstance(body, bytes) else body()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client = clients(proxy.url, max_retries=0)
    proxy.always("balance", answer(encoded(data, encoding)))
    with pytest.raises(TransportError, match=reason):
        client.balance()
    proxy.always("submit", answer(encoded(data, encoding), worked=True))
    with pytest.raises(SubmissionUnknownError, match=reason):
        client.submit("any/model", {})
    assert proxy.arrived["submit"] == 1
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 40 * MB


@pytest.mark.parametrize(("body", "encoding"), [(stacked, "gzip, gzip"), (bomb, "gzip")])
def test_nor_is_a_file(
    clients: Clients, proxy: FaultProxy, tmp_path: Path, body: Callable[[], bytes], encoding: str
) -> None:
    data = body()
    result = clients(proxy.url, max_retries=0).submit("any/model", {}).wait(10)
    proxy.always("file", answer(encoded(data, encoding)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DownloadError, match=r"larger than|compressed as"):
        result.download(tmp_path / "out", max_bytes=4 * MB)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 40 * MB
    assert not [path for path in (tmp_path / "out").iterdir() if path.suffix == ".png"]


def test_a_file_that_is_stored_compressed_is_saved_plain(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    result = clients(proxy.url).submit("any/model", {}).wait(10)
    proxy.plan("file", answer(encoded(gzip.compress(PNG, mtime=0), "gzip")))
    (path,) = result.download(tmp_path)
    assert path.read_bytes() == PNG


def test_no_piece_is_large() -> None:
    pieces = list(Decoder("gzip").pieces(bomb()))
    assert sum(map(len, pieces)) == UNPACKED
    assert max(map(len, pieces)) <= PIECE


def test_an_empty_body_is_whole_in_any_encoding() -> None:
    decoder = Decoder("gzip")
    assert not list(decoder.pieces(b""))
    decoder.finish()
    begun = Decoder("deflate")
    assert not list(begun.pieces(b"\x78"))
    with pytest.raises(TransportFailure):
        begun.finish()
