"""Who may import what, as docs/architecture.md says: by the source, and by what processes really load."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from runcomfy_codegen.writing.tree import _EXPORTS

ROOT = Path(__file__).parents[2]
OURS = ("runcomfy", "runcomfy_client", "runcomfy_codegen", "runcomfy_mcp", "runcomfy_simulator", "runcomfy_studio")
# Lowest first. A module imports only from its own layer and those below it.
LAYERS = (
    "typing",
    "schema",
    "errors",
    "identifiers",
    "media",
    "text_values",
    "prepare",
    "outputs",
    "models",
    "packages",
    "describe",
    "transport",
    "journal",
    "api",
    "results",
    "result_store",
    "jobs",
    "catalog",
    "batch",
    "client",
    "resources",
    "cli",
)
HTTP_LIBRARIES = {"httpx", "httpcore", "httpx_aiohttp", "aiohttp", "requests"}
DRIVERS = {"runcomfy_client.transport.sync_driver", "runcomfy_client.transport.async_driver"}
# What the generator may use of the client library, and the simulator of the generator.
SHARED = tuple(f"runcomfy_client.{name}" for name in ("schema", "describe"))
# What the agents' server and the studio may use of it: the modules that generated packages offer to users, and what is
# known of models.
PUBLIC = {*_EXPORTS, "runcomfy_client.client", "runcomfy_client.packages", "runcomfy_client.schema.spec"}
# The studio also makes forms of schema nodes, tells files by their content, and takes ids from addresses.
FORMS = ("runcomfy_client.schema", "runcomfy_client.media.kinds", "runcomfy_client.identifiers")
DESCRIBES = "runcomfy_simulator.description"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import of our packages, those for type checkers and inside functions too."""
    return grimp.build_graph(*OURS, include_external_packages=True, cache_dir=None)


def imports_of(graph: grimp.ImportGraph, package: str) -> set[tuple[str, str]]:
    modules = {name for name in graph.modules if name == package or name.startswith(f"{package}.")}
    return {(name, found) for name in modules for found in graph.find_modules_directly_imported_by(name)}


def test_the_client_library_imports_downwards(graph: grimp.ImportGraph) -> None:
    layers = [*reversed(LAYERS)]
    present = {name.split(".")[1] for name in graph.modules if name.startswith("runcomfy_client.")}
    assert present == set(LAYERS), "a new module needs a place among the layers"
    broken = graph.find_illegal_dependencies_for_layers(layers=layers, containers={"runcomfy_client"})
    assert not broken, "\n".join(f"{each.importer} reaches {each.imported}" for each in broken)


PACKAGES = ["runcomfy_client", "runcomfy_codegen", "runcomfy_mcp", "runcomfy_simulator", "runcomfy_studio"]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_by_way_of_others(graph: grimp.ImportGraph, package: str) -> None:
    cycles = []
    for name in sorted(name for name in graph.modules if name.startswith(f"{package}.")):
        for found in graph.find_modules_directly_imported_by(name):
            if found.startswith(f"{package}.") and (chain := graph.find_shortest_chain(found, name)):
                cycles.append(" -> ".join((name, *chain)))
    assert not cycles, "\n".join(cycles)


def test_the_client_library_knows_no_generated_package(graph: grimp.ImportGraph) -> None:
    foreign = {"runcomfy", "runcomfy_codegen", "runcomfy_simulator", "runcomfy_studio"}
    assert not [each for each in imports_of(graph, "runcomfy_client") if each[1].partition(".")[0] in foreign]


def test_the_generator_uses_the_schema_and_its_descriptions_only(graph: grimp.ImportGraph) -> None:
    for name, found in imports_of(graph, "runcomfy_codegen"):
        assert found.partition(".")[0] not in {"runcomfy", "runcomfy_simulator"}, name
        assert not found.startswith("runcomfy_client") or found.startswith(SHARED), f"{name} imports {found}"


def test_the_agents_server_uses_the_public_surface(graph: grimp.ImportGraph) -> None:
    for name, found in imports_of(graph, "runcomfy_mcp"):
        assert found.partition(".")[0] not in {"runcomfy", "runcomfy_codegen", "runcomfy_simulator"}, name
        allowed = found in PUBLIC or found.startswith("runcomfy_client.describe") or found == "runcomfy_client.errors"
        assert not found.startswith("runcomfy_client") or allowed, f"{name} imports {found}"


def test_the_studio_uses_the_public_surface(graph: grimp.ImportGraph) -> None:
    for name, found in imports_of(graph, "runcomfy_studio"):
        # `--simulate` runs on the simulator.
        assert found.partition(".")[0] not in {"runcomfy", "runcomfy_codegen", "runcomfy_mcp"}, name
        allowed = found in PUBLIC or found.startswith((*FORMS, "runcomfy_client.describe", "runcomfy_client.errors"))
        assert not found.startswith("runcomfy_client") or allowed, f"{name} imports {found}"


def test_the_simulator_reads_for_itself(graph: grimp.ImportGraph) -> None:
    for name, found in imports_of(graph, "runcomfy_simulator"):
        assert found.partition(".")[0] not in {"runcomfy", "runcomfy_client"}, name
        # It describes the API in the generator's words; how payloads are checked it does not ask.
        described = name == DESCRIBES and found.startswith("runcomfy_codegen.openapi")
        assert not found.startswith("runcomfy_codegen") or described, f"{name} imports {found}"


def test_only_the_drivers_know_httpx(graph: grimp.ImportGraph) -> None:
    typed = grimp.build_graph(*OURS, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None)
    for package in ("runcomfy_client", "runcomfy_codegen", "runcomfy"):
        for name, found in imports_of(typed, package):
            assert found not in HTTP_LIBRARIES or name in DRIVERS, name


def test_no_command_of_the_generator_loads_the_client(tmp_path: Path) -> None:
    # A copy: the generator locks names beside the schemas.
    schemas = shutil.copytree(ROOT / "tests" / "cases" / "cured" / "schemas", tmp_path / "schemas")
    code = """
import sys
from runcomfy_codegen.cli import run
schemas, output = sys.argv[1:]
for command in (["generate"], ["generate", "--no-cache"], ["reference"], ["lint"], ["openapi"]):
    where = [] if command == ["lint"] else ["--output", f"{output}/{command[0]}"]
    assert run([*command, "--schemas", schemas, *where]) == 0, command
    loaded = {name.partition(".")[0] for name in sys.modules} & {"runcomfy", "runcomfy_simulator", "httpx"}
    assert not loaded, (command, loaded)
"""
    command = [sys.executable, "-c", code, str(schemas), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_simulator_loads_neither_client_nor_generator() -> None:
    code = (
        "import sys, runcomfy_simulator; runcomfy_simulator.Simulator(sys.argv[1]);"
        "names = {name.partition('.')[0] for name in sys.modules};"
        "print(sorted(names & {'runcomfy', 'runcomfy_client', 'runcomfy_codegen'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "schemas")], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
