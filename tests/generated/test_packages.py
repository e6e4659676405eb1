"""Generated packages beside each other and beside a library of another age."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import runcomfy
from runcomfy_client import packages
from runcomfy_codegen.generate import Request, generate
from runcomfy_codegen.writing.tree import FORMAT
from runcomfy_simulator import Simulator

from tests.support.codegen import input_of, write_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

POSTER = "acme/poster-1/draw"
SHARED = "bytedance/dreamina-4-0/text-to-image"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of two models, one of which `runcomfy` has too, and the package made of them."""
    folder = tmp_path_factory.mktemp("ours")
    poster = input_of({"headline": {"type": "string", "maxLength": 10}}, ["headline"])
    shared = input_of({"text": {"type": "string"}}, ["text"])
    write_store(folder / "schemas", {POSTER: poster, SHARED: shared})
    request = Request(schemas=folder / "schemas", output=folder, package="ourmodels")
    assert not generate(request, lambda done, of: None).failed
    return folder


@pytest.fixture
def ourmodels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module("ourmodels")
    for name in [name for name in sys.modules if name.partition(".")[0] == "ourmodels"]:
        del sys.modules[name]


def test_two_packages_share_everything_but_their_models(ourmodels: ModuleType) -> None:
    own = {"RunComfy", "AsyncRunComfy", "validate"}
    assert ourmodels.__all__ == runcomfy.__all__
    for name in {*runcomfy.__all__} - {"__version__"}:
        assert (getattr(ourmodels, name) is getattr(runcomfy, name)) == (name not in own), name
    assert runcomfy.RunComfy._package.model_ids() != ourmodels.RunComfy._package.model_ids() == [POSTER, SHARED]


def test_each_package_checks_by_its_own_models(ourmodels: ModuleType) -> None:
    assert ourmodels.validate(POSTER, {"headline": "Moon"})
    with pytest.raises(runcomfy.UnknownModelError):
        runcomfy.validate(POSTER, {"headline": "Moon"})
    # The same id, by two schemas.
    assert ourmodels.validate(SHARED, {"text": "x"})
    assert not runcomfy.validate(SHARED, {"text": "x"})
    with pytest.raises(AttributeError, match="generated into ourmodels"):
        ourmodels.RunComfy(token="any").kling  # noqa: B018


def test_two_clients_work_side_by_side(ourmodels: ModuleType, folder: Path) -> None:
    poster = importlib.import_module("ourmodels.models.acme.poster_1")
    with (
        Simulator(schemas=folder / "schemas", queue_seconds=0.0, run_seconds=0.0) as theirs,
        Simulator(queue_seconds=0.0, run_seconds=0.0) as real,
        ourmodels.RunComfy(token=theirs.token, base_url=theirs.url) as ours,
        runcomfy.RunComfy(token=real.token, base_url=real.url) as client,
    ):
        jobs: list[Any] = [
            ours.acme.poster_1.draw(headline="Moon"),
            ours.submit(poster.DrawInput(headline="Sea")),
            client.bytedance.dreamina_4_0.text_to_image(prompt="A paper moon"),
        ]
        assert [type(job) for job in jobs] == [runcomfy.Job] * 3
        assert all(job.wait(timeout=30).output.image or job.wait(timeout=30).output.images for job in jobs)
        with pytest.raises(runcomfy.InvalidInputError):
            ours.acme.poster_1.draw(headline="x" * 11)
        assert [job.input for job in theirs.jobs] == [{"headline": "Moon"}, {"headline": "Sea"}]
        assert [job.input for job in real.jobs] == [{"prompt": "A paper moon"}]


def test_the_generator_writes_the_format_that_the_library_reads() -> None:
    assert FORMAT == packages.FORMAT
    assert FORMAT in packages.READABLE_FORMATS


def other_format(folder: Path, tmp_path: Path, format: int) -> Path:
    """The package as a generator of another age would have numbered it."""
    copy = tmp_path / "ourmodels"
    for path in (folder / "ourmodels").rglob("*.py"):
        target = copy / path.relative_to(folder / "ourmodels")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    index = copy / "_index.py"
    text = index.read_text(encoding="utf-8")
    index.write_text(re.sub(r"format=\d+", f"format={format}", text), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("format", "cure"),
    [(FORMAT - 1, "runcomfy-codegen generate --package ourmodels"), (FORMAT + 1, "update runcomfy-client")],
)
@pytest.mark.parametrize(
    "code",
    [
        "from ourmodels import RunComfy",
        "import ourmodels; ourmodels.validate('acme/poster-1/draw', {})",
        "from ourmodels.models.acme.poster_1 import DrawInput",
        "from ourmodels.models.acme.poster_1.draw import DrawInput",
    ],
)
def test_a_package_of_another_format_is_refused_at_import(
    folder: Path, tmp_path: Path, format: int, cure: str, code: str
) -> None:
    path = other_format(folder, tmp_path, format)
    done = subprocess.run([sys.executable, "-c", code], cwd=path, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("runcomfy_client.errors.ConfigurationError: ")
    assert f"in format {format}" in last
    assert cure in last


def test_the_command_line_of_such_a_package_says_so_without_a_traceback(folder: Path, tmp_path: Path) -> None:
    path = other_format(folder, tmp_path, FORMAT - 1)
    command = [sys.executable, "-m", "ourmodels", "models"]
    done = subprocess.run(command, cwd=path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "runcomfy-codegen generate --package ourmodels" in " ".join(done.stderr.split())
