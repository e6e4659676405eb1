"""The engine of VS Code's YAML extension reads the written schemas, over the protocol that editors speak with it."""

from __future__ import annotations

import io
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any, Self

import pytest
from ruamel.yaml import YAML
from runcomfy._index import PACKAGE
from runcomfy_client.schema import Enum

from tests.support.npm import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# It is another process that loads all schemas.
pytestmark = pytest.mark.long

SERVER = "yaml-language-server@2.0.0"
EDIT = "bytedance/dreamina-4-0/edit"
BAD = "image_urls: [http://plain/x.png]\nprompt: no\nscal: 1\nscale: 2\n"


class YamlEditor:
    """An editor with a folder open, in which the schemas lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        place = installed(SERVER) / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
        self._process = subprocess.Popen(
            ["node", str(place), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._count = 0
        self._problems: dict[str, list[dict[str, Any]]] = {}
        self._settings = {
            "yaml": {
                "validate": True,
                "hover": True,
                "completion": True,
                "schemaStore": {"enable": False},
                "schemas": {f"./schemas/{EDIT}.json": "payloads/edit/*.yaml"},
            }
        }

    def __enter__(self) -> Self:
        root = {"uri": self.folder.as_uri(), "name": "project"}
        features = {"workspace": {"configuration": True}, "textDocument": {"completion": {}}}
        opened = {"rootUri": root["uri"], "workspaceFolders": [root]}
        self._call("initialize", {"processId": None, "capabilities": features, **opened})
        self._send(method="initialized", params={})
        self._send(method="workspace/didChangeConfiguration", params={"settings": self._settings})
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()

    def problems(self, name: str, text: str) -> dict[int, str]:
        """Open a file: what is marked, by line."""
        uri = (self.folder / name).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        while uri not in self._problems:
            self._take()
        return {found["range"]["start"]["line"]: found["message"] for found in self._problems[uri]}

    def at(self, method: str, name: str, line: int, column: int) -> Any:
        place = {
            "textDocument": {"uri": (self.folder / name).as_uri()},
            "position": {"line": line, "character": column},
        }
        return self._call(f"textDocument/{method}", place)

    def offers(self, name: str, line: int, column: int) -> dict[str, str]:
        """What is offered at a place, and what each puts into the file."""
        answer = self.at("completion", name, line, column)
        items = answer["items"] if isinstance(answer, dict) else answer
        return {item["label"]: re.sub(r"\$\{\d+:(.*?)\}", r"\1", item["insertText"]) for item in items}

    def _send(self, **message: object) -> None:
        assert self._process.stdin is not None
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._process.stdin.flush()

    def _call(self, method: str, params: object) -> Any:
        self._count += 1
        self._send(id=self._count, method=method, params=params)
        while (message := self._take()).get("id") != self._count or "method" in message:
            pass
        return message["result"]

    def _take(self) -> dict[str, Any]:
        """The server's next message; its own questions are answered."""
        stream = self._process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(stream.read(length))
        if message.get("method") == "workspace/configuration":
            asked = [item.get("section") for item in message["params"]["items"]]
            self._send(id=message["id"], result=[self._settings.get(section, {}) for section in asked])
        elif message.get("method") == "textDocument/publishDiagnostics":
            self._problems[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send(id=message["id"], result=None)
        return message


@pytest.fixture(scope="module")
def editor(editor_schemas: Path) -> Iterator[YamlEditor]:
    with YamlEditor(editor_schemas.parent) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("line.yaml", f"# yaml-language-server: $schema=schemas/{EDIT}.json\n"),
        ("key.yaml", f"$schema: schemas/{EDIT}.json\n"),
        ("payloads/edit/a.yaml", "\n"),
    ],
    ids=["first line", "key", "settings"],
)
def test_each_way_to_name_the_model_marks_errors_at_their_line(editor: YamlEditor, name: str, head: str) -> None:
    found = editor.problems(name, head + BAD)
    assert found.keys() == {1, 3, 4}
    assert "https:// URL" in found[1]
    assert "scal is not allowed" in found[3]
    assert "maximum of 1" in found[4]


def test_a_key_is_explained(editor: YamlEditor) -> None:
    editor.problems("hover.yaml", f"# yaml-language-server: $schema=schemas/{EDIT}.json\nscale: 0.5\n")
    assert "Higher values increase text influence" in editor.at("hover", "hover.yaml", 1, 2)["contents"]["value"]


@pytest.mark.parametrize("model_id", PACKAGE.model_ids())
def test_keys_and_values_are_offered_as_yaml_that_is_right(editor: YamlEditor, model_id: str) -> None:
    """What is put into the file is what the schema means, also for texts such as 16:9, 5 and no."""
    spec = PACKAGE.known_spec(model_id)
    head, name = f"# yaml-language-server: $schema=schemas/{model_id}.json\n", model_id.replace("/", "-")
    editor.problems(f"{name}.yaml", f"{head}\n")
    assert editor.offers(f"{name}.yaml", 1, 0).keys() >= spec.input.properties.keys()
    for number, (key, known) in enumerate(spec.input.properties.items()):
        if isinstance(known.node, Enum):
            file, line = f"{name}-{number}.yaml", f"{key}: "
            editor.problems(file, f"{head}{line}\n")
            texts = editor.offers(file, 1, len(line)).values()
            values = [YAML(typ="safe").load(line + text)[key] for text in texts]
            assert {repr(value) for value in known.node.values} <= {repr(value) for value in values}
    if spec.example is not None:
        example = io.StringIO()
        YAML().dump(spec.example, example)
        assert editor.problems(f"{name}-example.yaml", head + example.getvalue()) == {}
