"""What the commands work with: the generated package in use, its client, and the journal.

The package is the one that `--package NAME` names, else RUNCOMFY_PACKAGE, else `[tool.runcomfy] package` of the nearest
pyproject.toml that has this table, else `runcomfy`. `python -m ourmodels` works for `ourmodels`. Whatever the commands
print for users to type next names the program as the user called it.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from ..describe.project import ProjectError, read_project
from ..packages import ModelPackage
from .errors import CommandError, NoFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

    from ..client import AsyncClient, SyncClient
    from ..journal.journal import Journal

SCRIPT = "runcomfy-client"
VARIABLE = "RUNCOMFY_PACKAGE"
JOURNAL_VARIABLE = "RUNCOMFY_JOURNAL"
DEFAULT = "runcomfy"


class Selection:
    """A package by its import name, the program's name in hints and help, and what named the package."""

    __slots__ = ("name", "program", "source")

    def __init__(self, name: str, program: str, source: str) -> None:
        self.name = name
        self.program = program
        self.source = source


# One for each call of `main`, which sets it before anything else.
_selection = Selection(DEFAULT, SCRIPT, "")


def select(fixed: str | None, argv: Sequence[str]) -> list[str]:
    """Choose the package for one run, and return the command line without `--package`.

    ``fixed`` is the package of `python -m`; there `--package` can name no other.
    """
    global _selection
    # What goes wrong from here on names the program, whichever package was meant.
    _selection = Selection(fixed or DEFAULT, f"python -m {fixed}" if fixed else SCRIPT, "")
    flag, words = _without_flag(argv)
    if fixed is not None:
        if flag not in (None, fixed):
            raise CommandError(f"python -m {fixed} works for {fixed}; --package is an option of {SCRIPT}")
    elif flag is not None:
        _selection = Selection(flag, f"{SCRIPT} --package {_check_name(flag, '--package')}", "--package")
    elif name := os.environ.get(VARIABLE, ""):
        _selection = Selection(_check_name(name, VARIABLE), SCRIPT, VARIABLE)
    elif configured := _configured():
        name, source = configured
        _selection = Selection(_check_name(name, source), SCRIPT, source)
    return words


def program() -> str:
    """How the user calls this command line: "runcomfy-client", "python -m ourmodels"."""
    return _selection.program


def package_name() -> str:
    """The import name of the package in use."""
    return _selection.name


def package() -> ModelPackage:
    """The models of the package in use.

    Raises CommandError if there is no such package, ConfigurationError if it was generated in a format that this
    library does not read.
    """
    package_ = getattr(_import(f"{_selection.name}._index"), "PACKAGE", None)
    if not isinstance(package_, ModelPackage):
        raise CommandError(_not_generated())
    return package_


def open_client(
    base_url: str | None, *, journal: str | Path | None = None, record: bool = True, validate: bool = True
) -> SyncClient:
    """The package's own client; ``record=False`` leaves the journal out.

    The token is never an argument: other users of the machine could read it in the list of processes.
    """
    package()  # report a wrong address before the client's own modules are loaded
    client: type[SyncClient] = _import(_selection.name).RunComfy
    return client(base_url=base_url, journal=journal_place(journal) if record else None, validate=validate)


def open_async_client(
    base_url: str | None, *, journal: str | Path | None = None, token: str | None = None
) -> AsyncClient:
    """As ``open_client``, for servers. ``token``: that of a simulator; a person's own is never an argument."""
    package()
    client: type[AsyncClient] = _import(_selection.name).AsyncRunComfy
    return client(token=token, base_url=base_url, journal=journal_place(journal))


def journal_place(path: str | Path | None) -> Path | str:
    """Where the journal is: the file that is named, else what RUNCOMFY_JOURNAL names, a file or ``postgresql://...``,
    else a file in the user's folder for program state.

    The address of a database is never an argument, since others could read its password in the list of processes.
    """
    from pathlib import Path

    if path:
        if "://" in str(path):
            raise CommandError(
                f"--journal takes a file; the address of a database goes into the variable {JOURNAL_VARIABLE}, since "
                "other users of this computer can read command lines, and the password with them"
            )
        return Path(path).expanduser()
    if named := os.environ.get(JOURNAL_VARIABLE, "").strip():
        return named if "://" in named else Path(named).expanduser()
    return state_folder() / "journal.sqlite3"


def state_folder() -> Path:
    """The user's folder for program state."""
    from ..journal import base  # not every command has a journal

    return base.state_folder()


def results_folder(journal: str | Path | None) -> Path:
    """The folder of results that belongs to a journal: beside its file, or in the user's folder for program state."""
    place = journal_place(journal)
    return (state_folder() if isinstance(place, str) else place.parent) / "results"


def journal_name(path: str | Path | None) -> str:
    """The journal as messages name it: as the user did, without a password, or with ~ for the home folder."""
    from pathlib import Path

    place = journal_place(path)
    if isinstance(place, str):
        return open_journal(place).name
    if path:
        return str(path)
    home = Path.home()
    return f"~{os.sep}{place.relative_to(home)}" if place.is_relative_to(home) else str(place)


def existing_journal(path: str | None) -> Path | str | None:
    """The journal to read from, or None if nothing was recorded yet.

    Raises NoFileError if a file is named that is not there: a misspelt name must not hide paid jobs.
    """
    place = journal_place(path)
    if isinstance(place, str) or place.exists():
        return place
    if path:
        raise NoFileError(f"there is no journal {path!r}")
    if os.environ.get(JOURNAL_VARIABLE, "").strip():
        raise NoFileError(f"there is no journal {str(place)!r}, which {JOURNAL_VARIABLE} names")
    return None


def open_journal(place: Path | str) -> Journal:
    """The journal alone, which needs no token."""
    from ..journal.journal import Journal  # not every command has one

    return Journal(place)


def api_url(base_url: str | None, model_id: str) -> str:
    """The address a submit goes to; an id that a submit would refuse is refused here too."""
    from ..identifiers import check_model_id
    from ..transport.config import BASE_URL, Config, clean_base_url

    base = clean_base_url(base_url or os.environ.get("RUNCOMFY_BASE_URL") or BASE_URL)
    return Config(token=None, base_url=base).url("models", check_model_id(model_id))


def _without_flag(argv: Sequence[str]) -> tuple[str | None, list[str]]:
    """The value of `--package`, and the other words; after `--` every word is an argument."""
    name: str | None = None
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word == "--":
            words += [word, *rest]
        elif word == "--package":
            name = next(rest, "")
        elif word.startswith("--package="):
            name = word.removeprefix("--package=")
        else:
            words.append(word)
    return name, words


def _check_name(name: str, source: str) -> str:
    if not all(part.isidentifier() for part in name.split(".")):
        raise CommandError(f"{source} takes the import name of a generated package, such as ourmodels; not {name!r}")
    return name


def _configured() -> tuple[str, str] | None:
    """What `[tool.runcomfy]` names, and the file it stands in."""
    try:
        project = read_project()
    except ProjectError as error:
        raise CommandError(str(error)) from error
    name = project.values.get("package") if project is not None else None
    return (name, f"package in {project.file}") if project is not None and name else None


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        if not f"{name}.".startswith(f"{missing.name}."):
            raise
        if _is_importable(_selection.name):
            raise CommandError(_not_generated()) from missing
        raise CommandError(
            f"there is no generated package {_selection.name!r}{_named_by()} in {sys.prefix} or on PYTHONPATH; "
            "make it with `runcomfy-codegen generate`, and install your project with `pip install -e .`"
        ) from missing


def _is_importable(name: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # what would hold it is no package; a module without a spec
        return False


def _not_generated() -> str:
    return f"{_selection.name!r} is not a package that runcomfy-codegen generated{_named_by()}"


def _named_by() -> str:
    return f" (named by {_selection.source})" if _selection.source else ""
