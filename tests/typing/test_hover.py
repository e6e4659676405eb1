"""What an editor shows at `RunComfy(`, asked of pyright's language server over its own protocol."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CODE = """\
from runcomfy import AsyncRunComfy, RunComfy
client = RunComfy()
twin = AsyncRunComfy()
client.submit
client.bytedance.dreamina_4_0.edit
"""


class Editor:
    """An editor that has one file open."""

    def __init__(self, folder: Path) -> None:
        file = folder / "code.py"
        file.write_text(CODE, encoding="utf-8")
        paths = [str(ROOT / "client"), str(ROOT / "generated")]
        (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": paths}), encoding="utf-8")
        server = Path(sys.executable).with_name("pyright-langserver")
        self._process = subprocess.Popen([server, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._count = 0
        self._uri = file.as_uri()
        hover = {"textDocument": {"hover": {"contentFormat": ["plaintext"]}}}
        folders = [{"uri": folder.as_uri(), "name": folder.name}]
        self._ask("initialize", {"processId": None, "workspaceFolders": folders, "capabilities": hover})
        self._send({"method": "initialized", "params": {}})
        document = {"uri": self._uri, "languageId": "python", "version": 1, "text": CODE}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def hover(self, name: str) -> str:
        """What is shown with the mouse on the last place of a name."""
        lines = CODE.splitlines()
        line = max(number for number, text in enumerate(lines) if name in text)
        position = {"line": line, "character": lines[line].rindex(name) + 1}
        shown = self._ask("textDocument/hover", {"textDocument": {"uri": self._uri}, "position": position})
        return str(shown["contents"]["value"])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._count += 1
        self._send({"id": self._count, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._count and "method" not in message:
                return message["result"]
            if "id" in message:  # a question of the server's: there are no settings, and it may show progress
                settings: list[dict[str, str]] = [{} for _ in message.get("params", {}).get("items", ())]
                self._send({"id": message["id"], "result": settings or None})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout
        length = 0
        while header := self._process.stdout.readline().strip():
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    editor = Editor(tmp_path_factory.mktemp("editor"))
    yield editor
    editor.close()


@pytest.mark.parametrize("name", ["RunComfy()", "AsyncRunComfy()"])
def test_the_client_explains_its_parameters(editor: Editor, name: str) -> None:
    shown = editor.hover(name)
    for parameter in ("token", "base_url", "timeout", "max_retries", "http_client", "journal", "event_hooks"):
        assert f"{parameter}:" in shown
    assert "RUNCOMFY_API_TOKEN" in shown
    assert "ConfigurationError:" in shown


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("submit", ["model_id:", "wire", "InvalidInputError:"]),
        ("edit", ["image_urls:", "SequenceNotStr[ImageInput]", "1 to 10 items", "options:"]),
    ],
)
def test_what_sends_explains_its_arguments(editor: Editor, name: str, words: list[str]) -> None:
    shown = editor.hover(name)
    for word in words:
        assert word in shown
