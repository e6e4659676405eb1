"""What a process loads does not grow with the catalog: counted in modules, which no busy machine can change."""

from __future__ import annotations

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from benchmarks.imports import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.catalog import Catalog

# Each would cost more than all of ours.
HEAVY = {"httpx", "pydantic", "pydantic_core", "PIL", "ssl", "asyncio", "jinja2", "black", "sqlite3", "aiohttp"}


# Of the client library: what only those need who ask a job something, or keep a journal.
LATER = {
    "journal",
    "journal.base",
    "journal.journal",
    "journal.postgres",
    "journal.spill",
    "journal.sql",
    "journal.sqlite",
    "journal.writer",
    "results",
    "api.poll",
    "api.outcomes",
    "api.download",
    "models",
}


def printed(catalog: Catalog, script: str) -> set[str]:
    """The words that a fresh process prints."""
    env = {**catalog.package_path, "PATH": ""}
    return set(
        subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        ).stdout.split()
    )


def loaded(catalog: Catalog, code: str) -> set[str]:
    """The modules that a fresh process has after `code`."""
    return printed(catalog, f"{code}\nimport sys\nprint(*sys.modules)")


class Accepts(BaseHTTPRequestHandler):
    """Starts every job."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"request_id": "r-1"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """An API that starts every job."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Accepts) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def submit(catalog: Catalog, origin: str) -> str:
    _, payload, place = first(catalog)
    return (
        f"from runcomfy import RunComfy\nclient = RunComfy('token', {origin!r})\n"
        f"assert client.{place.path}(**{payload!r}).request_id == 'r-1'\nclient.close()"
    )


def first(catalog: Catalog) -> tuple[str, dict[str, object], Place]:
    model = catalog.models[0]
    return model.model_id, dict(model.example), Place.of(catalog.folder / "out" / "runcomfy", model.model_id)


def test_the_import_loads_the_same_modules_whatever_the_catalog(few: Catalog, some: Catalog) -> None:
    found = loaded(some, "import runcomfy")
    assert found == loaded(few, "import runcomfy")
    assert not found & HEAVY
    assert "runcomfy._index" not in found
    assert "runcomfy._client" not in found


def test_offline_validation_loads_one_spec_and_nothing_heavy(few: Catalog, some: Catalog) -> None:
    model_id, payload, place = first(some)
    code = f"import runcomfy\nassert runcomfy.validate({model_id!r}, {payload!r}).ok"
    found = loaded(some, code)
    assert found == loaded(few, code)
    assert not found & HEAVY
    leaves = {f"runcomfy.specs.{place.path}"}
    while "." in (above := min(leaves, key=len).rpartition(".")[0]):
        leaves.add(above)
    assert {each for each in found if each.startswith("runcomfy.specs.")} == leaves - {"runcomfy.specs"}


def test_memory_does_not_grow_with_the_catalog(few: Catalog, some: Catalog) -> None:
    model_id, payload, place = first(some)
    code = (
        "import tracemalloc; tracemalloc.start()\nimport runcomfy\n"
        f"assert runcomfy.validate({model_id!r}, {payload!r}).ok\n"
        f"runcomfy.RunComfy('token').{place.path}\nprint(tracemalloc.get_traced_memory()[1])"
    )
    printed(some, code)  # the first run compiles
    (with_some,), (with_few,) = printed(some, code), printed(few, code)
    # A model costs its line in the index, and its method where its provider and family are those of the first one.
    assert (int(with_some) - int(with_few)) / (len(some.models) - len(few.models)) < 1024


def test_reaching_a_class_loads_one_model(few: Catalog, some: Catalog) -> None:
    _, payload, place = first(some)
    code = f"from runcomfy.models.{place.path} import {place.input_class} as M\nM(**{payload!r})"
    found = loaded(some, code)
    assert found == loaded(few, code)
    assert f"runcomfy.models.{place.path}" in found
    assert not found & (HEAVY - {"pydantic", "pydantic_core"})
    theirs = loaded(few, "from pydantic import BaseModel, Field\nclass Input(BaseModel):\n    n: int = Field(1, ge=0)")
    assert {each.partition(".")[0] for each in found - theirs} == {"runcomfy", "runcomfy_client"}


def test_a_client_and_its_methods_load_neither_httpx_nor_certificates_nor_classes(few: Catalog, some: Catalog) -> None:
    _, _, place = first(some)
    code = f"from runcomfy import RunComfy\nRunComfy('token').{place.path}"
    found = loaded(some, code)
    assert found == loaded(few, code)
    assert not found & HEAVY
    assert not any(each.startswith("runcomfy.models") for each in found)


def test_a_submit_loads_what_a_bare_httpx_loads_and_what_a_submit_needs(
    few: Catalog, some: Catalog, origin: str
) -> None:
    found = loaded(some, submit(some, origin))
    assert found == loaded(few, submit(few, origin))
    post = f"import httpx\nwith httpx.Client() as client: client.post({origin!r}, json={{}}).json()"
    others = {each for each in found - loaded(few, post) if not each.startswith("runcomfy")}
    # For Ctrl-C, held until the request id is here, and for deadlines.
    assert others <= {"signal", "heapq", "_heapq"}
    assert not found & {"pydantic", "pydantic_core", *(f"runcomfy_client.{each}" for each in LATER)}
    assert not any(each.startswith("runcomfy.models") for each in found)


def test_a_submit_makes_hardly_a_dataclass(few: Catalog, origin: str) -> None:
    """Each takes half a millisecond to make; the one that is left is the user's own to write."""
    script = """
import dataclasses, sys
ours = [module for name, module in sys.modules.items() if name.startswith(("runcomfy.", "runcomfy_client"))]
found = {value for module in ours for value in vars(module).values() if isinstance(value, type)}
print(*(each.__name__ for each in found if dataclasses.is_dataclass(each)))
"""
    assert printed(few, submit(few, origin) + script) == {"Timeouts"}


def test_a_submit_over_plain_http_reads_no_certificates(few: Catalog, origin: str) -> None:
    forbidden = "import ssl\nssl.SSLContext.load_verify_locations = ssl.SSLContext.set_default_verify_paths = None\n"
    assert printed(few, forbidden + submit(few, origin) + "\nprint('sent')") == {"sent"}
    with pytest.raises(subprocess.CalledProcessError):  # as a bare httpx does
        printed(few, forbidden + "import httpx\nhttpx.Client()")


@pytest.mark.long
def test_a_thousand_models_load_no_more_than_four(few: Catalog, many: Catalog) -> None:
    model_id, payload, place = first(many)
    for code in (
        "import runcomfy",
        f"import runcomfy\nassert runcomfy.validate({model_id!r}, {payload!r}).ok",
        f"from runcomfy.models.{place.path} import {place.input_class} as M\nM(**{payload!r})",
        f"from runcomfy import RunComfy\nRunComfy('token').{place.path}",
    ):
        assert loaded(many, code) == loaded(few, code)
