"""`runcomfy-client studio`: what it says when it cannot start."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.cli.app import run_app
from runcomfy_client.cli.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path


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
