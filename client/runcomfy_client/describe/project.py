"""`[tool.runcomfy]` of a project's pyproject.toml: the package of the command line, and the generator's defaults.

Both read it here. The command line does so at every start, so nothing is loaded that most folders do not need.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ..schema.messages import brief

TABLE = "tool.runcomfy"
KEYS = ("package", "schemas", "output")


class ProjectError(Exception):
    """The settings cannot be used: ``file`` is the pyproject.toml, ``problem`` what is wrong with it."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file
        self.problem = problem


class Project(NamedTuple):
    """What the table sets, and the file it stands in."""

    file: str
    values: dict[str, str]


def read_project() -> Project | None:
    """The settings of the nearest pyproject.toml that has the table, from the working directory upwards.

    Raises ProjectError: such a file is not TOML, or the table holds a key or a value that it may not.
    """
    folder = os.getcwd()  # noqa: PTH109  # pathlib is not loaded for it
    while True:
        file = os.path.join(folder, "pyproject.toml")  # noqa: PTH118  # as above
        table = _table(file)
        if table is not None:
            return Project(file, _values(file, table))
        parent = os.path.dirname(folder)  # noqa: PTH120  # as above
        if parent == folder:
            return None
        folder = parent


def _table(file: str) -> object:
    """The table, or None if there is no such file or no such table in it."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123  # as above
            data = opened.read()
    except OSError:
        return None
    if b"runcomfy" not in data:
        return None
    import tomllib  # most folders do not need it

    try:
        tool = tomllib.loads(data.decode("utf-8")).get("tool")
    except ValueError as error:
        raise ProjectError(file, f"cannot be read: {error}") from error
    return tool.get("runcomfy") if isinstance(tool, dict) else None


def _values(file: str, table: object) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ProjectError(file, f"{TABLE} is a table: [{TABLE}]")
    for key, value in table.items():
        if key not in KEYS:  # a misspelt key must not silently choose another package
            from ..schema.suggest import nearest  # loaded only to suggest a name

            near = nearest(key, KEYS)
            cure = f"did you mean {near}?" if near else f"it knows {', '.join(KEYS)}"
            raise ProjectError(file, f"[{TABLE}] has no key {brief(key)}; {cure}")
        if not isinstance(value, str) or not value:
            raise ProjectError(file, f"{TABLE}.{key} is a text that is not empty")
    return table
