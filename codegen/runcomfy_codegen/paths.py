"""The files that ship with the generator, and which store and output a command uses when it does not name them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runcomfy_client.describe.project import read_project

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent
_DATA = _PACKAGE / "_data"
_SCHEMAS = "schemas"
_OUTPUT = "generated"
PACKAGE = "runcomfy"


def in_checkout() -> bool:
    """Does the generator run from the repository, or from an installed wheel, which carries its data inside?"""
    return not _DATA.is_dir()


def generator_folder() -> Path:
    """The generator's own modules; in a wheel its data lies there too, below `_data`."""
    return _PACKAGE


def templates_folder() -> Path:
    return _CHECKOUT / "templates" if in_checkout() else _DATA / "templates"


def builtin_schemas() -> Path:
    """The schemas that ship: a wheel carries them, for reading only; in a checkout they are the checkout's own."""
    return (_CHECKOUT if in_checkout() else _DATA) / _SCHEMAS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`[tool.runcomfy]`; what it does not set is None. Folders are below the file's own folder unless absolute."""

    schemas: Path | None = None
    output: Path | None = None
    package: str | None = None


def read_settings() -> Settings:
    """The project's settings: defaults of the commands' options. Raises ProjectError."""
    project = read_project()
    if project is None:
        return Settings()
    folders = {key: Path(project.file).parent / text for key, text in project.values.items() if key != "package"}
    return Settings(**folders, package=project.values.get("package"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The store a command works on.

    `builtin`: the schemas that ship, used because no other store is named or found. They may be read, not written.
    `owned`: the project's settings name the store, or it is the checkout's own. Models that are gone from it may be
    deleted from the package without --delete.
    """

    path: Path
    builtin: bool = False
    owned: bool = False


def choose_store(named: Path | None, settings: Settings) -> Store:
    """By the flag, else the project's settings, else `schemas/` here, else what ships."""
    path = named or settings.schemas or (Path(_SCHEMAS) if Path(_SCHEMAS).is_dir() else None)
    if path is None:
        return Store(path=builtin_schemas(), builtin=True)
    owners = [settings.schemas, builtin_schemas() if in_checkout() else None]
    return Store(path=path, owned=any(owner and owner.resolve() == path.resolve() for owner in owners))


def choose_output(named: Path | None, settings: Settings) -> Path:
    """The folder that holds the package: by the flag, else the project's settings, else `generated/` here."""
    return named or settings.output or Path(_OUTPUT)
