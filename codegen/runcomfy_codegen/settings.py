"""The project's settings in its pyproject.toml, `[tool.runcomfy]`: defaults of the commands' options."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from runcomfy_client.schema.suggest import nearest

from .diagnostics.diagnostic import display, quote

_FILE = "pyproject.toml"
_TABLE = "tool.runcomfy"
_KEYS = ("schemas", "output", "package")


class SettingsError(Exception):
    """The settings cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`[tool.runcomfy]`; what it does not set is None. Folders are below the file's own folder unless absolute."""

    schemas: Path | None = None
    output: Path | None = None
    package: str | None = None


def read_settings() -> Settings:
    """The settings of the nearest pyproject.toml that has the table, from the working directory upwards.

    Raises:
        SettingsError: a pyproject.toml on the way is not TOML, or the table holds a key or value that it may not.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / _FILE
        if file.is_file() and (table := _table(file)) is not None:
            return _settings(file, table)
    return Settings()


def _table(file: Path) -> object:
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{display(file)} cannot be read: {error}") from error
    return tool.get("runcomfy") if isinstance(tool, dict) else None


def _settings(file: Path, table: object) -> Settings:
    def error(message: str) -> SettingsError:
        return SettingsError(f"{display(file)}: {message}")

    if not isinstance(table, dict):
        raise error(f"{_TABLE} is a table: [{_TABLE}]")
    texts: dict[str, str] = {}
    for key, value in table.items():
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            cure = f"did you mean {near}?" if near else f"it knows {', '.join(_KEYS)}"
            raise error(f"[{_TABLE}] has no key {quote(key)}; {cure}")
        if not isinstance(value, str) or not value:
            raise error(f"{_TABLE}.{key} is a text that is not empty")
        texts[key] = value

    def folder(key: str) -> Path | None:
        return file.parent / texts[key] if key in texts else None

    return Settings(schemas=folder("schemas"), output=folder("output"), package=texts.get("package"))
