"""The generator's steps stand in one order, and each imports only what stands before it."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest
from runcomfy_codegen.building.pool import PRELOADED

GENERATOR = Path(__file__).parents[2] / "codegen/runcomfy_codegen"
# A folder, or a module at the top. What stands later may import what stands earlier.
ORDER = (
    "__init__",
    "diagnostics",
    "paths",
    "reading",
    "checking",
    "naming",
    "lowering",
    "rendering",
    "comparing",
    "building",
    "writing",
    "generate",
    "terminal",
    "intake",
    "openapi",
    "reference",
    "editor_schemas",
    "cli",
    "console",
)
MODULES = {path.relative_to(GENERATOR).with_suffix("").as_posix(): path for path in GENERATOR.rglob("*.py")}


def imported(name: str) -> set[str]:
    """The generator's modules that one of them imports, those for type checkers and those in functions included."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        folder = name.split("/")[: -node.level]
        base = "/".join([*folder, *(node.module or "").split(".")]).strip("/")
        for each in node.names:
            choices = (f"{base}/{each.name}".strip("/"), base, f"{base}/__init__".strip("/"))
            found.add(next(choice for choice in choices if choice in MODULES))
    return found


def room(name: str) -> str:
    return name.partition("/")[0]


def test_every_room_has_its_place() -> None:
    assert sorted(ORDER) == sorted(set(map(room, MODULES)))


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_import_goes_backwards(name: str) -> None:
    own = ORDER.index(room(name))
    assert not [each for each in sorted(imported(name)) if ORDER.index(room(each)) > own]


def test_no_modules_import_each_other() -> None:
    """Within a room neither; CycleError names those that do."""
    assert tuple(TopologicalSorter({name: imported(name) for name in MODULES}).static_order())


def test_the_readme_lists_the_rooms_in_their_order() -> None:
    readme = (GENERATOR.parent / "README.md").read_text(encoding="utf-8")
    rows = [row for row in readme.splitlines() if row.startswith("| `")]
    listed = [each for row in rows for each in re.findall(r"`(\w+)/`", row.split("|")[1]) if each in ORDER]
    assert listed == [each for each in ORDER if (GENERATOR / each).is_dir()]


def test_what_a_pool_loads_in_advance_is_there() -> None:
    """A name that leads nowhere would be passed over in silence, and each worker load the libraries anew."""
    assert find_spec(PRELOADED)


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.endswith("/__init__")))
def test_a_room_says_what_lives_there_and_hides_nothing(name: str) -> None:
    """A name has one home; openapi's is the door for the simulator, which may use nothing else."""
    body = ast.parse(MODULES[name].read_text(encoding="utf-8")).body
    assert isinstance(body[0], ast.Expr)
    assert len(body) == 1 or room(name) == "openapi"
