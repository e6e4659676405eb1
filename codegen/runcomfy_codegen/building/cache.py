"""The cache: units that were built before, by a digest of everything that they depend on.

A unit's text depends on the bytes of the model's files, on its names, on the generator's own modules and templates, and
on the versions of the tools. All of them are in the digest, which is the name of the cache's file; so nothing has to be
invalidated. A new input of a unit belongs in `Task`, and `key` must cover it: a test changes each input once.

Of the lock only the names that the rule would not make are in it (`deviations`): publishing a name that the rule makes
changes nothing, so the run that writes names.json does not empty the cache.

Each file begins with a digest of its own content. A file that is damaged or cut short counts as missing, and so does a
cache that cannot be read or written. `generate --check` compares the files of the package with what units say; it never
trusts the cache about what is on disk.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..diagnostics.diagnostic import Diagnostic, Place
from ..naming.model import ModelNames
from ..paths import generator_folder, templates_folder
from ..reading.store import ModelId
from ..rendering.rendered import Rendered
from .unit import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .unit import Task

# A unit's text depends on each of them.
_TOOLS = ("black", "datamodel-code-generator", "jinja2", "jsonpatch", "jsonschema", "pydantic")


class Cache:
    """A folder of units. It may be deleted at any time; a damaged entry counts as missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, task: Task) -> Unit | None:
        """The unit of a task, if it was built before from the same inputs."""
        path = self._path(task)
        try:
            digest, _, body = path.read_bytes().partition(b"\n")
        except OSError:
            return None
        if digest != _digest(body).encode():
            return None
        return _unit(json.loads(body))

    def put(self, task: Task, unit: Unit) -> None:
        """Keep a unit that has text. A cache that cannot be written does not fail the run."""
        if unit.rendered is None:
            return
        body = json.dumps(asdict(unit), ensure_ascii=False, separators=(",", ":")).encode()
        path = self._path(task)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(body).encode() + b"\n" + body)
            Path(temporary).replace(path)
        except OSError:
            return

    def keep_only(self, tasks: Iterable[Task]) -> None:
        """Drop the entries of all other tasks."""
        kept = {self._path(task).name for task in tasks}
        try:
            for path in self._folder.iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)
        except OSError:
            return

    def _path(self, task: Task) -> Path:
        return self._folder / key(task)


def key(task: Task) -> str:
    """The digest of everything a unit depends on."""
    digest = hashlib.sha256(_generator().encode())
    source = task.source
    names = json.dumps([source.model_id, asdict(task.names), asdict(task.lock)], sort_keys=True)
    parts = (source.input, source.output, source.example, source.patch, source.model_json, source.common_output)
    for part in (names.encode(), *parts):
        # Lengths keep the parts apart; a missing file is not an empty one.
        digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    return digest.hexdigest()


@functools.cache
def _generator() -> str:
    """The digest of the generator itself: its modules, its templates, the tools it depends on."""
    digest = hashlib.sha256()
    for folder in (generator_folder(), templates_folder()):
        for path in sorted(_sources(folder)):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(json.dumps({tool: version(tool) for tool in _TOOLS}).encode())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    """The files below a folder that are the generator's own: not what a wheel puts beside them."""
    for path in folder.iterdir():
        if path.is_dir() and path.name not in ("_data", "__pycache__"):
            yield from _sources(path)
        elif path.suffix in (".py", ".json", ".jinja"):
            yield path


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _unit(saved: Any) -> Unit:
    return Unit(
        model_id=ModelId(saved["model_id"]),
        names=ModelNames(**saved["names"]),
        diagnostics=tuple(_diagnostic(entry) for entry in saved["diagnostics"]),
        properties=saved["properties"],
        objects=saved["objects"],
        rendered=Rendered(
            **{
                **saved["rendered"],
                "imports": {name: tuple(imports) for name, imports in saved["rendered"]["imports"].items()},
            }
        ),
    )


def _diagnostic(saved: Any) -> Diagnostic:
    return Diagnostic(**{**saved, "place": Place(**saved["place"]) if saved["place"] else None})
