"""Pulling from a saved reply and from a live catalog over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.intake import codegen, files_below, read_json
from tests.support.pages import read_markdown
from tests.support.scripts import run_script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.cli import Answer

SCRIPT = Path(sys.executable).with_name("runcomfy-codegen")


def schema(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "title": "Схема",
        "required": ["prompt"],
        "properties": {"prompt": {"type": "string"}, **properties},
    }


def entry(model_id: str, **more: Any) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "display_name": model_id.partition("/")[2],
        "categories": ["text-to-image"],
        "base_price_usd": 0.04,
        "pricing_note": None,
        "inputs": ["prompt"],
        "input_schema": schema(),
        **more,
    }


CATALOGUE = [
    entry("acme/poster-1/4K", input_schema=schema(size={"type": "float", "default": 1.0, "maximum": 2})),
    entry("acme/poster-1/draft"),
    entry("zeta/film-1"),
]


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(reply: object = None) -> Path:
        path = tmp_path / "reply.json"
        path.write_text(json.dumps({"models": CATALOGUE} if reply is None else reply), encoding="utf-8")
        return path

    return save


def pull(store: Path, source: Path, *words: str) -> Answer:
    return codegen("pull", *words, "--schemas", store, "--from", source)


class TestSaved:
    def test_each_schema_is_written_as_received(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        answer = pull(tmp_path / "store", saved(), "*")
        assert answer.code == 0, answer.err
        for each in CATALOGUE:
            text = (tmp_path / "store" / each["model_id"] / "input.json").read_text(encoding="utf-8")
            assert text == json.dumps(each["input_schema"], indent=2, ensure_ascii=False) + "\n"
        assert "added     acme/poster-1/4K  2 properties; required: prompt" in answer.out
        assert "3 models: 3 added, 0 changed (0 breaking), 0 with the same facts; 6 files written" in answer.out

    def test_nothing_is_written_through_a_link_that_leads_out_of_the_store(
        self, saved: Callable[..., Path], tmp_path: Path
    ) -> None:
        (tmp_path / "store").mkdir()
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "store/zeta").symlink_to(tmp_path / "elsewhere")
        answer = pull(tmp_path / "store", saved(), "*")
        assert answer.code not in (0, 70)
        assert "leads out of the store" in answer.err
        assert not list((tmp_path / "elsewhere").iterdir())
        assert [path.name for path in (tmp_path / "store").iterdir()] == ["zeta"]

    def test_what_the_catalogue_says_besides_is_kept(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        pull(tmp_path / "store", saved(), "zeta/film-1")
        assert read_json(tmp_path / "store/zeta/film-1/model.json") == {
            "display_name": "film-1",
            "categories": ["text-to-image"],
            "base_price_usd": 0.04,
        }

    def test_prices_are_left_as_they_are_if_asked(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        store = tmp_path / "store"
        answer = pull(store, saved(), "*", "--no-prices")
        assert answer.code == 0, answer.err
        facts = {"display_name": "film-1", "categories": ["text-to-image"]}
        assert read_json(store / "zeta/film-1/model.json") == facts
        pull(store, saved(), "*")
        dearer = [entry("zeta/film-1", categories=["text-to-video"], base_price_usd=9)]
        answer = pull(store, saved(dearer), "zeta/*", "--no-prices")
        assert "categories: [" in answer.out
        assert "base_price_usd" not in answer.out
        assert read_json(store / "zeta/film-1/model.json") == {
            **facts,
            "categories": ["text-to-video"],
            "base_price_usd": 0.04,
        }

    def test_an_empty_text_is_not_kept(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        pull(tmp_path / "store", saved([entry("zeta/film-1", description="", pricing_note="")]), "*")
        assert not {"description", "pricing_note"} & read_json(tmp_path / "store/zeta/film-1/model.json").keys()

    @pytest.mark.parametrize("reply", [CATALOGUE, {"models": CATALOGUE, "total": 1, "limit": 0}, CATALOGUE[0]])
    def test_forms_of_a_reply(self, reply: object, saved: Callable[..., Path], tmp_path: Path) -> None:
        answer = pull(tmp_path / "store", saved(reply), "acme/poster-1/4K")
        assert answer.code == 0, answer.err
        assert (tmp_path / "store/acme/poster-1/4K/input.json").is_file()

    @pytest.mark.parametrize(
        ("words", "count"),
        [(("acme/*",), 2), (("*/*-1",), 1), (("zeta/film-1", "acme/*"), 3), (("*/[pf]*",), 3), (("*", "zeta/*"), 3)],
    )
    def test_globs(self, words: tuple[str, ...], count: int, saved: Callable[..., Path], tmp_path: Path) -> None:
        answer = pull(tmp_path / "store", saved(), *words)
        assert f"{count} model" in answer.out.splitlines()[-1], answer.out + answer.err

    def test_a_second_pull_changes_nothing(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        pull(tmp_path / "store", saved(), "*")
        before = files_below(tmp_path / "store")
        answer = pull(tmp_path / "store", saved(), "*")
        assert answer.out.splitlines() == [
            "unchanged 3 models",
            "3 models: 0 added, 0 changed (0 breaking), 3 with the same facts; 0 files written",
        ]
        assert files_below(tmp_path / "store") == before

    def test_a_dry_run_tells_and_writes_nothing(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        answer = pull(tmp_path / "store", saved(), "*", "--dry-run")
        assert answer.code == 0
        assert "added     zeta/film-1" in answer.out
        assert "6 files would be written (dry run)" in answer.out
        assert not (tmp_path / "store").exists()

    def test_changes_are_shown_and_written(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        store = tmp_path / "store"
        pull(store, saved(), "*")
        patch = '[{"op": "replace", "path": "/properties/size/maximum", "value": 1}]'
        (store / "acme/poster-1/4K/patch.json").write_text(patch, encoding="utf-8")
        changed = [
            entry("acme/poster-1/4K", input_schema=schema(size={"type": "float", "default": 1.0, "maximum": 1})),
            entry("acme/poster-1/draft", input_schema=schema(seed={"type": "integer"})),
            entry("zeta/film-1", input_schema={**schema(), "title": "Input"}, base_price_usd=0.08),
        ]
        answer = pull(store, saved(changed), "*")
        assert answer.code == 0
        lines = answer.out.splitlines()
        assert lines[:2] == ["changed   acme/poster-1/4K  breaking", "  breaking  size: maximum 2 -> 1"]
        assert lines[2].startswith("  E042 the patch changes nothing")
        assert lines[3:5] == [
            "changed   acme/poster-1/draft  compatible",
            "  compatible  seed: new property, optional",
        ]
        assert lines[5:7] == ["reworded  zeta/film-1", "  base_price_usd: 0.04 -> 0.08"]
        assert "2 changed (1 breaking)" in lines[-1]
        for each in changed:
            assert read_json(store / each["model_id"] / "input.json") == each["input_schema"]

    def test_models_gone_upstream_are_reported_and_kept(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        store = tmp_path / "store"
        pull(store, saved(), "*")
        answer = pull(store, saved(CATALOGUE[:1]), "acme/*")
        gone = [line.split()[1] for line in answer.out.splitlines() if line.startswith("gone")]
        assert gone == ["acme/poster-1/draft"]
        # Nobody asked for zeta.
        assert "zeta" not in answer.out
        assert (store / "acme/poster-1/draft/input.json").is_file()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("acme/poster-1/4k",), "Did you mean acme/poster-1/4K"),
            (("acme/postr-1/draft", "zeta/film-1"), "Did you mean acme/poster-1/draft"),
            (("omega/*",), 'no model of the catalog fits "omega/*"'),
            (("*", "\x1b[31m"), "\\u001b[31m"),
        ],
    )
    def test_what_fits_nothing_is_an_error(
        self, words: tuple[str, ...], message: str, saved: Callable[..., Path], tmp_path: Path
    ) -> None:
        answer = pull(tmp_path / "store", saved(), *words)
        assert answer.code == 65
        assert "E087" in answer.err
        assert message in answer.err
        assert not (tmp_path / "store").exists()

    @pytest.mark.parametrize(
        ("bad", "code"),
        [
            (entry("../../up"), "E073"),
            (entry("acme/input.json/x"), "E073"),
            (entry("acme/poster-2", input_schema=None), "E086"),
            (entry("acme/poster-2", input_schema="{}"), "E086"),
        ],
    )
    def test_a_faulty_entry_does_not_keep_the_others(
        self, bad: dict[str, Any], code: str, saved: Callable[..., Path], tmp_path: Path
    ) -> None:
        answer = pull(tmp_path / "a/b/store", saved([*CATALOGUE, bad]), "*")
        assert answer.code == 65
        assert code in answer.err
        assert "6 files written" in answer.out
        written = {name.removeprefix("a/b/store/") for name in files_below(tmp_path) if name != "reply.json"}
        assert written == {f"{each['model_id']}/{name}.json" for each in CATALOGUE for name in ("input", "model")}

    def test_entries_without_id_or_twice_are_reported(self, saved: Callable[..., Path], tmp_path: Path) -> None:
        reply = [*CATALOGUE, 7, {"model_id": 7}, entry("zeta/film-1", kind="other"), CATALOGUE[1]]
        answer = pull(tmp_path / "store", saved(reply), "*")
        assert answer.code == 0
        assert answer.err.count("W186") == 2
        assert answer.err.count("W187") == 1

    @pytest.mark.parametrize("content", ["", "{", "7", '{"data": []}', "<html>", "[NaN]", '{"models": 7}', "[" * 9999])
    def test_what_is_no_reply(self, content: str, tmp_path: Path) -> None:
        path = tmp_path / "reply.json"
        path.write_text(content, encoding="utf-8")
        answer = pull(tmp_path / "store", path, "*")
        assert answer.code == 65
        assert str(path) in answer.err
        assert "Traceback" not in answer.err

    def test_no_such_file(self, tmp_path: Path) -> None:
        assert pull(tmp_path / "store", tmp_path / "missing.json", "*").code == 2


NEWER = [
    entry(
        "acme/poster-1/4K", input_schema=schema(size={"type": "float", "default": 1.0, "maximum": 1}), base_price_usd=1
    ),
    entry("acme/poster-1/draft", input_schema=schema(seed={"type": "integer"}), categories=["a|b"]),
    entry("acme/new-1"),
]


class TestReports:
    @pytest.fixture
    def store(self, saved: Callable[..., Path], tmp_path: Path) -> Path:
        pull(tmp_path / "store", saved(), "*")
        return tmp_path / "store"

    def test_json_says_each_change_and_what_it_means(self, store: Path, saved: Callable[..., Path]) -> None:
        found = json.loads(pull(store, saved(NEWER), "*", "--json").out)
        assert found["counts"] == {
            "added": 1, "changed": 2, "breaking": 1, "reworded": 0, "unchanged": 0, "removed": 1
        }  # fmt: skip
        assert (found["breaking"], found["dry_run"], found["removed"]) == (True, False, ["zeta/film-1"])
        one, two, three = found["models"]
        assert one["changes"] == [
            {
                "property": "size",
                "pointer": "/properties/size/maximum",
                "change": "maximum 2 -> 1",
                "breaking": True,
                "meaning": "Values that were taken may be refused.",
            }
        ]
        assert one["facts"] == [{"name": "base_price_usd", "before": 0.04, "after": 1}]
        assert (two["status"], two["breaking"]) == ("changed", False)
        assert (three["model_id"], three["status"]) == ("acme/new-1", "added")

    def test_markdown_is_fit_for_a_pull_request(self, store: Path, saved: Callable[..., Path]) -> None:
        text = pull(store, saved(NEWER), "*", "--markdown").out
        seen = read_markdown(text)
        assert seen.texts("h3") == ["Breaking", "Compatible", "Removed upstream", "Added", "Prices"]
        cells = seen.texts("td")
        assert cells[:4] == ["acme/poster-1/4K", "size", "maximum 2 -> 1", "Values that were taken may be refused."]
        assert 'categories: ["text-to-image"] -> ["a|b"]' in cells
        assert cells[-4:] == ["acme/poster-1/4K", "base_price_usd", "0.04", "1"]
        assert text.splitlines()[2] == (
            "1 added, 1 removed upstream, 1 with breaking changes, 1 with compatible changes, 1 with another price."
        )

    @pytest.mark.parametrize(
        ("reply", "breaking", "any_change"),
        [
            (CATALOGUE, 0, 0),
            ([*CATALOGUE, entry("acme/new-1")], 0, 1),
            ([CATALOGUE[0], CATALOGUE[1], entry("zeta/film-1", base_price_usd=9)], 0, 1),
            ([CATALOGUE[0], CATALOGUE[1], entry("zeta/film-1", input_schema=schema(seed={"type": "integer"}))], 0, 1),
            (CATALOGUE[:2], 1, 1),
            ([CATALOGUE[0], CATALOGUE[1], entry("zeta/film-1", input_schema={**schema(), "required": []})], 0, 1),
            ([NEWER[0], *CATALOGUE[1:]], 1, 1),
        ],
    )
    def test_fail_on(
        self, store: Path, saved: Callable[..., Path], reply: object, breaking: int, any_change: int
    ) -> None:
        for words in ((), ("--json",), ("--markdown",)):
            assert pull(store, saved(reply), "*", "--dry-run", *words).code == 0
            assert pull(store, saved(reply), "*", "--dry-run", "--fail-on", "breaking", *words).code == breaking
            assert pull(store, saved(reply), "*", "--dry-run", "--fail-on", "any", *words).code == any_change

    def test_what_fails_is_written_all_the_same(self, store: Path, saved: Callable[..., Path]) -> None:
        assert pull(store, saved(NEWER), "*", "--fail-on", "breaking").code == 1
        assert read_json(store / "acme/poster-1/4K/input.json") == NEWER[0]["input_schema"]
        assert pull(store, saved(NEWER), "acme/*", "--fail-on", "any").code == 0

    def test_a_name_that_meets_a_published_one_is_breaking(self, store: Path, saved: Callable[..., Path]) -> None:
        names = {"acme/poster-1/draft": {"properties": {"prompt": "prompt"}}}
        (store / "names.json").write_text(json.dumps(names), encoding="utf-8")
        changed = entry("acme/poster-1/draft", input_schema=schema(Prompt={"type": "string"}))
        answer = pull(store, saved([changed]), "acme/poster-1/draft", "--fail-on", "breaking", "--dry-run")
        assert answer.code == 1
        assert '  E031 "prompt" and "Prompt" both become "prompt"' in answer.out
        # With a name of its own it is no more than a new property.
        names["acme/poster-1/draft"]["properties"]["Prompt"] = "prompt_2"
        (store / "names.json").write_text(json.dumps(names), encoding="utf-8")
        assert pull(store, saved([changed]), "acme/poster-1/draft", "--fail-on", "breaking", "--dry-run").code == 0

    def test_a_model_that_meets_a_published_one_is_reported(self, store: Path, saved: Callable[..., Path]) -> None:
        answer = pull(store, saved([*CATALOGUE, entry("acme/poster.1/draft")]), "*", "--dry-run")
        assert "E032" in answer.out
        assert "would be written" in answer.out


class Api:
    """A catalog over real HTTP that pages as it likes: what `/v1/models` answers is up to the test."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.page = 500
        self.total: int | None = None
        self.with_schema = True
        self.slow = threading.Event()
        self.reached = threading.Event()
        self.entries: list[dict[str, Any]] = list(CATALOGUE)

    def answer(self, target: str) -> tuple[int, object]:
        self.asked.append(target)
        url = urlsplit(target)
        if url.path == "/v1/models":
            query = {key: int(values[0]) for key, values in parse_qs(url.query).items() if values[0].isdigit()}
            start = query.get("offset", 0)
            found = self.entries[start : start + min(self.page, query.get("limit", self.page))]
            if not self.with_schema:
                found = [{key: value for key, value in each.items() if key != "input_schema"} for each in found]
            return 200, {"models": found} if self.total is None else {"models": found, "total": self.total}
        model_id = url.path.removeprefix("/v1/models/")
        if self.slow.is_set() and model_id == self.entries[-1]["model_id"]:
            self.reached.set()
            time.sleep(20)
        found = [each for each in self.entries if each["model_id"] == model_id]
        return (200, found[0]) if found else (404, {"error_code": 400001, "message": "no such model"})


@pytest.fixture
def api() -> Iterator[tuple[Api, dict[str, str]]]:
    served = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = served.answer(self.path)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    yield served, {**os.environ, "RUNCOMFY_BASE_URL": address, "RUNCOMFY_API_TOKEN": "token-of-the-tests"}
    server.shutdown()
    server.server_close()
    thread.join()


def live(environment: dict[str, str], store: Path, *words: str) -> Answer:
    return run_script("runcomfy-codegen", ["pull", *words, "--schemas", store], environment=environment)


class TestLive:
    @pytest.mark.parametrize(("page", "total"), [(500, 3), (500, None), (1, 3), (1, None), (2, 99), (2, 1)])
    def test_paging(
        self, page: int, total: int | None, api: tuple[Api, dict[str, str]], tmp_path: Path, saved: Callable[..., Path]
    ) -> None:
        served, environment = api
        served.page, served.total = page, total
        done = live(environment, tmp_path / "live", "*")
        assert done.code == 0, done.err
        pull(tmp_path / "saved", saved(), "*")
        assert files_below(tmp_path / "live") == files_below(tmp_path / "saved")

    def test_a_schema_that_the_list_lacks_is_asked_for(self, api: tuple[Api, dict[str, str]], tmp_path: Path) -> None:
        served, environment = api
        served.with_schema = False
        done = live(environment, tmp_path / "store", "acme/*")
        assert done.code == 0, done.err
        assert [each for each in served.asked if "?" not in each] == [
            "/v1/models/acme/poster-1/4K",
            "/v1/models/acme/poster-1/draft",
        ]
        assert read_json(tmp_path / "store/acme/poster-1/draft/input.json") == schema()

    def test_a_hostile_catalogue_writes_nowhere_else(self, api: tuple[Api, dict[str, str]], tmp_path: Path) -> None:
        served, environment = api
        served.entries = [entry("../../up"), entry("/abs/olute"), *CATALOGUE]
        done = live(environment, tmp_path / "a/b/store", "*")
        assert done.code == 65
        assert done.err.count("E073") == 2
        assert {path.name for path in tmp_path.iterdir()} == {"a"}
        assert sorted(path.name for path in (tmp_path / "a/b/store").iterdir()) == ["acme", "zeta"]

    def test_a_misspelt_id(self, api: tuple[Api, dict[str, str]], tmp_path: Path) -> None:
        _, environment = api
        done = live(environment, tmp_path / "store", "zeta/film1")
        assert done.code == 65
        assert "Did you mean zeta/film-1?" in done.err
        assert not (tmp_path / "store").exists()

    def test_nobody_answers(self, tmp_path: Path) -> None:
        environment = {**os.environ, "RUNCOMFY_BASE_URL": "http://127.0.0.1:9", "RUNCOMFY_API_TOKEN": "token"}
        done = live(environment, tmp_path / "store", "*")
        assert done.code == 69
        assert "Traceback" not in done.err

    @pytest.mark.parametrize(
        ("setting", "code", "message"),
        [
            ({"RUNCOMFY_API_TOKEN": ""}, 77, "No RunComfy token. Export RUNCOMFY_API_TOKEN=..."),
            ({"RUNCOMFY_API_TOKEN": "two words"}, 2, "The token (from RUNCOMFY_API_TOKEN)"),
            ({"RUNCOMFY_BASE_URL": "localhost:8787"}, 2, "The base URL 'localhost:8787'"),
        ],
    )
    def test_what_must_be_set_is_said_in_the_commands_own_words(
        self, setting: dict[str, str], code: int, message: str, tmp_path: Path
    ) -> None:
        others = dict.fromkeys(("RUNCOMFY_API_KEY", "RUNCOMFY_TOKEN"), "")
        address = {"RUNCOMFY_BASE_URL": "http://127.0.0.1:9", "RUNCOMFY_CONFIG_DIR": str(tmp_path)}
        done = live({**os.environ, **others, **address, **setting}, tmp_path / "store", "*")
        assert done.code == code
        assert message in done.err
        assert "token=..." not in done.err.replace("TOKEN=...", "")

    @pytest.mark.skipif(sys.platform == "win32", reason="a terminal of this kind is POSIX's")
    def test_a_terminal_sees_how_far_it_is(self, api: tuple[Api, dict[str, str]], tmp_path: Path) -> None:
        served, environment = api
        served.with_schema = False
        ours, theirs = os.openpty()
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            done = subprocess.run(
                [SCRIPT, "pull", "acme/*", "--schemas", tmp_path], env=environment, stderr=theirs, timeout=60
            )
            os.close(theirs)
            seen = terminal.read(4096)
        assert done.returncode == 0
        assert b"1 of 2: acme/poster-1/4K" in seen
        # The line is cleared at the end.
        assert seen.endswith(b"\r\x1b[K")

    @pytest.mark.parametrize(("blow", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
    def test_an_interrupted_pull_leaves_whole_files_only(
        self, blow: signal.Signals, code: int, api: tuple[Api, dict[str, str]], tmp_path: Path
    ) -> None:
        served, environment = api
        served.with_schema = False
        served.slow.set()
        store = tmp_path / "store"
        process = subprocess.Popen(
            [SCRIPT, "pull", "*", "--schemas", store], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert served.reached.wait(30)
        process.send_signal(blow)
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == code
        assert b"Traceback" not in stderr
        assert not store.exists()


def test_without_the_generated_package_it_says_what_to_do(tmp_path: Path) -> None:
    # A module of that name in front of the real one stands for a tree before the first `generate`.
    (tmp_path / "runcomfy.py").write_text("raise ImportError('no generated package here')\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [str(SCRIPT), "pull", "*", "--schemas", str(tmp_path / "store")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 69
    assert "runcomfy-codegen generate" in done.stderr
    assert "--from FILE" in done.stderr
