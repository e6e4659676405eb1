"""Who may import what, as docs/architecture.md says; by the source, and for the generator by what it really loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
OURS = {"runtime", "runcomfy", "runcomfy_codegen", "runcomfy_simulator", "tests", "benchmarks", "examples"}
DRIVERS = {"codegen/runtime/transport/sync_driver.py", "codegen/runtime/transport/async_driver.py"}

DESCRIBES = "simulator/runcomfy_simulator/description.py"


def modules(room: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / room).rglob("*.py"))


def imports(path: str, *, types_too: bool = True) -> Iterator[tuple[int, str]]:
    """(level, module) of every import anywhere in a module; those for type checkers may be left out."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for_checkers = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if not types_too and id(node) in for_checkers:
            continue
        if isinstance(node, ast.Import):
            yield from ((0, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def packages(path: str, *, types_too: bool = True) -> set[str]:
    """The top-level packages that a module imports absolutely."""
    return {name.partition(".")[0] for level, name in imports(path, types_too=types_too) if not level}


@pytest.mark.parametrize("path", modules("codegen/runtime"))
def test_the_runtime_stands_alone(path: str) -> None:
    """It is copied into every generated package, whatever that is called."""
    assert not OURS & packages(path)
    depth = len(Path(path).relative_to("codegen/runtime").parts)
    too_far = [f"{'.' * level}{name}" for level, name in imports(path) if level > depth]
    # models/, specs/ and _client.py of the package around it are reached by the registry, by name.
    assert not too_far


@pytest.mark.parametrize("path", modules("codegen/runcomfy_codegen"))
def test_the_generator_needs_nothing_that_it_makes(path: str) -> None:
    assert not (OURS - {"runcomfy_codegen"}) & packages(path)


@pytest.mark.parametrize("path", modules("simulator"))
def test_the_simulator_reads_for_itself(path: str) -> None:
    foreign = (OURS - {"runcomfy_simulator"}) & packages(path)
    if path == DESCRIBES:
        # It describes the API in the generator's words; how payloads are judged it does not ask.
        assert {name for level, name in imports(path) if name.startswith("runcomfy_codegen")} == {
            "runcomfy_codegen.openapi"
        }
        foreign.remove("runcomfy_codegen")
    assert not foreign


@pytest.mark.parametrize("path", [*modules("codegen"), *modules("generated/runcomfy/_runtime")])
def test_only_the_drivers_know_httpx(path: str) -> None:
    own = path.replace("generated/runcomfy/_runtime/", "codegen/runtime/")
    assert own in DRIVERS or not {"httpx", "httpcore", "httpx_aiohttp", "requests"} & packages(path, types_too=False)


@pytest.mark.parametrize("command", [["generate"], ["generate", "--no-cache"], ["reference"], ["lint"], ["openapi"]])
def test_no_command_of_the_generator_loads_the_client(command: list[str], tmp_path: Path) -> None:
    words = [*command, "--schemas", str(ROOT / "schemas")]
    if command[0] != "lint":
        words += ["--output", str(tmp_path / "out")]
    code = (
        "import sys; from runcomfy_codegen.cli import run; code = run(sys.argv[1:]);"
        "print(code, sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'runtime', 'runcomfy', 'runcomfy_simulator', 'httpx'}))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0 []", done.stdout + done.stderr


def test_the_simulator_loads_neither_client_nor_generator() -> None:
    code = (
        "import sys, runcomfy_simulator; runcomfy_simulator.Simulator(sys.argv[1]);"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'runtime', 'runcomfy', 'runcomfy_codegen'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "schemas")], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
