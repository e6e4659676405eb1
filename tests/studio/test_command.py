"""`runcomfy-client studio`: what it says when it cannot start, and when it ends."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.cli.app import run_app
from runcomfy_client.cli.errors import CommandError
from runcomfy_client.errors import JournalError

from tests.support.studio import StudioCaller, StudioThread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runcomfy_simulator import Simulator


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port} is taken"):
            run_app(["studio", "--no-browser", "--port", str(port)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--max-cost", "-1"], "US dollars"),
        (["--max-cost", "nan"], "US dollars"),
        (["--port", "70000"], "from 0 to 65535"),
    ],
)
def test_options_that_make_no_sense(words: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run_app(["studio", "--no-browser", *words])


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "runcomfy-client").write_text("in the way")
    with pytest.raises(CommandError, match="cannot start"):
        run_app(["studio", "--no-browser", "--port", "0"])


def test_a_journal_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="not a regular file"):
        run_app(["studio", "--no-browser", "--port", "0", "--journal", str(tmp_path)])


@pytest.mark.parametrize("first", ["studio", "browser"])
def test_an_upload_that_is_cut_off_leaves_no_traceback_and_no_file(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket() as browser,
        StudioThread(tmp_path, listener, simulator.url, simulator.token) as studio,
        StudioCaller(studio) as caller,
    ):
        studio.server.config.timeout_graceful_shutdown = 0
        request = caller.build_request("POST", "/uploads", content=b"x" * 100)
        lines = [f"{name.decode()}: {value.decode()}" for name, value in request.headers.raw]
        browser.connect(("127.0.0.1", studio.port))
        browser.sendall("\r\n".join(["POST /uploads HTTP/1.1", *lines, "", "the begin"]).encode())
        uploads = studio.settings.folder / "uploads"
        wait_until(lambda: any(uploads.iterdir()))
        if first == "browser":
            browser.close()
            wait_until(lambda: not any(uploads.iterdir()))
    assert not any(uploads.iterdir())
    assert capsys.readouterr().err == f"The studio is at {studio.link}\nCtrl-C ends it.\n"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
