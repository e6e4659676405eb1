"""What documents point at is there: files, headings, make targets, commands, codes; and what is there is documented."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
import runcomfy
import runcomfy_client.errors
import runcomfy_codegen
import yaml
from markdown_it import MarkdownIt
from runcomfy_codegen.diagnostics.codes import SCHEMA_CODES, STORE_CODES, all_codes

from tests.house.test_borders import LAYERS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "*/README.md", "*/*/README.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
    if not path.is_relative_to(ROOT / "docs/reference") and not path.relative_to(ROOT).parts[0].startswith(".")
)
ALL = {path: (ROOT / path).read_text(encoding="utf-8") for path in DOCUMENTS}
# The site's start links to pages that its build writes.
WRITTEN = "docs/reference/"
ROOMS = ("benchmarks", "codegen", "examples", "schemas", "templates", "tests")
ROOM_READMES = ("codegen/README.md", "templates/README.md", "tests/README.md")
MAKE = re.compile(r"(?<![\w/.-])make ([a-z][a-z-]*)\b")


def links(text: str) -> list[str]:
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        for child in token.children or ():
            target = (
                child.attrGet("href")
                if child.type == "link_open"
                else child.attrGet("src") if child.type == "image" else None
            )
            if isinstance(target, str):
                found.append(unquote(target))
    return found


def anchors(text: str) -> set[str]:
    """The headings, as GitHub and the site turn them into anchors."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_links_lead_somewhere(path: str) -> None:
    for link in links(ALL[path]):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, fragment = link.partition("#")
        file = (ROOT / path).parent / target if target else ROOT / path
        place = file.resolve().relative_to(ROOT).as_posix()
        if place.startswith(WRITTEN):
            continue
        assert file.exists(), f"{path}: {link}"
        if fragment and file.suffix == ".md":
            assert fragment in anchors(file.read_text(encoding="utf-8")), f"{path}: {link}"


@pytest.mark.parametrize("path", [each for each in DOCUMENTS if MAKE.search(ALL[each])])
def test_make_targets_are_there(path: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    code = "\n".join(re.findall(r"`[^`\n]+`|^(?:    |\t).*$|^make .*$", ALL[path], re.MULTILINE))
    assert set(MAKE.findall(code)) <= targets


def test_every_target_says_what_it_is_for() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE), target


@pytest.mark.parametrize("script", ["runcomfy-codegen", "runcomfy-client", "runcomfy-sim"])
def test_commands_in_documents_are_there(script: str) -> None:
    scripts = Path(sys.executable).parent
    shown = subprocess.run([str(scripts / script), "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"[a-z]{3,}", shown))
    for path, text in ALL.items():
        used = set(re.findall(rf"{script} ([a-z]+)\b", text))
        assert used <= known, f"{path}: {sorted(used - known)}"


def test_codes_of_the_generator_are_the_documented_ones() -> None:
    """Raised means explained, explained means raised; the dialect's table has each that it is about."""
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "codegen/runcomfy_codegen").rglob("*.py"))
    raised = set(re.findall(r"\"([EW]\d{3})\"", source))
    explained = all_codes()
    assert raised == explained.keys()
    for code, said in explained.items():
        assert said.title, code
        assert said.text, code
    assert expanded("\n".join(ALL.values())) <= explained.keys()
    # What is said while pages and catalogs are brought in is no matter of the dialect.
    of_schemas = {each.code for each in (*STORE_CODES, *SCHEMA_CODES)}
    assert of_schemas <= expanded(ALL["docs/dialect.md"])


def expanded(text: str) -> set[str]:
    """The codes that a text names, ranges such as `E001 - E008` included."""
    found = set(re.findall(r"\b[EW]\d{3}\b", text))
    for letter, first, last in re.findall(r"\b([EW])(\d{3}) ?[-–] ?[EW](\d{3})\b", text):
        found |= {f"{letter}{number:03}" for number in range(int(first), int(last) + 1)} & all_codes().keys()
    return found


def test_every_error_is_documented() -> None:
    """The table of errors is the tree of errors."""
    documented = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", ALL["docs/errors.md"], re.MULTILINE))
    exported = [getattr(runcomfy, name) for name in runcomfy.__all__]
    errors = [each for each in exported if inspect.isclass(each) and issubclass(each, Exception)]
    assert documented == {each.__name__: each.__bases__[0].__name__ for each in errors}
    for each in errors:
        assert each.__doc__, each


def test_the_reference_has_every_public_name() -> None:
    shown = {*re.findall(r"auto(?:class|function):: runcomfy\.(\w+)", ALL["docs/api.md"])}
    shown |= {*re.findall(r"`(\w+)`", ALL["docs/api.md"]), *runcomfy_client.errors.__all__, "__version__"}
    assert {*runcomfy.__all__} <= shown


def test_the_layers_are_the_documented_ones() -> None:
    table = ALL["docs/architecture.md"].partition("| layer | holds |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == LAYERS


PATHS = re.compile(r"`((?:client|codegen|simulator|tests|templates|schemas|generated|docs)/[\w./-]*\w(?:\.\w+|/)?)`")


@pytest.mark.parametrize("path", ["CONTRIBUTING.md", "docs/architecture.md", "README.md", *ROOM_READMES])
def test_files_that_documents_name_are_there(path: str) -> None:
    for name in PATHS.findall(ALL[path]):
        assert (ROOT / name).exists(), f"{path}: {name}"


def test_no_document_speaks_of_the_copied_library() -> None:
    decided = {"docs/decisions/0001-runtime-is-real-code.md", "CHANGELOG.md"}
    for path, text in ALL.items():
        assert path in decided or not re.search(r"codegen/runtime|\b_runtime\b", text), path


def test_the_hooks_for_contributors_run_what_is_installed() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    scripts = Path(sys.executable).parent
    for hook in hooks:
        program, *words = hook["entry"].split()
        assert program.startswith(".venv/bin/")
        assert (scripts / Path(program).name).exists(), program
        re.compile(hook.get("files", ""))
        assert words


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert runcomfy_codegen.__version__ == project["version"]
    assert runcomfy.__version__ == project["version"]
    assert re.search(rf"^## {re.escape(project['version'])}\b", ALL["CHANGELOG.md"], re.MULTILINE)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_lives_there(room: str) -> None:
    init = ROOT / room / "__init__.py"
    assert (ROOT / room / "README.md").exists() or (
        init.exists() and init.read_text(encoding="utf-8").startswith('"""')
    )


@pytest.mark.parametrize("room", ["tests", "examples", "codegen"])
def test_a_readme_names_every_folder_beside_it(room: str) -> None:
    text = ALL[f"{room}/README.md"]
    for folder in (ROOT / room).iterdir():
        # What git does not keep is nobody's folder.
        if folder.is_dir() and any(path.suffix != ".pyc" for path in folder.rglob("*.*")):
            assert f"`{folder.name}/`" in text, folder.name
