"""Where schemas live: `schemas/<model id>/{input,output,example,patch,model}.json`, and how they are written there."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NewType

from ..diagnostics.diagnostic import Diagnostic, display, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .source import Json

ModelId = NewType("ModelId", str)

INPUT = "input.json"
OUTPUT = "output.json"
EXAMPLE = "example.json"
PATCH = "patch.json"
# The catalog's listing of a model: display name, categories, base price, ...
MODEL = "model.json"
NAMES = "names.json"
# What a model's folder may hold. `schemas/` itself holds names.json and the output.json that every page prints.
MODEL_FILES = (INPUT, OUTPUT, EXAMPLE, PATCH, MODEL)

# No file or folder can have these names on Windows, whatever its ending.
DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
# A segment becomes a folder here and part of a URL there: no `..`, nothing hidden, nothing a file system trips over.
_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
# Beyond this the module's file name would be too long for common file systems.
_MAX_ID_LENGTH = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """A model that has an input schema in the store."""

    model_id: ModelId
    path: Path

    def file(self, name: str) -> Path | None:
        """One of MODEL_FILES, if the folder has it."""
        path = self.path / name
        return path if path.is_file() else None


def model_id_error(text: str) -> str | None:
    """Why a text cannot be a model id here, as the rest of the sentence "... is not a usable model id: "."""
    segments = text.split("/")
    if len(segments) < 2:
        return "it needs a provider and a name, as in acme/poster-1"
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            return (
                f"the segment {quote(segment)} may hold only letters, digits, '.', '_' and '-', begins with a letter "
                "or digit and does not end with '.'"
            )
        if segment.lower() in (*MODEL_FILES, NAMES):
            return f"the segment {quote(segment)} is the name of a file of the schema store"
    if len(text) > _MAX_ID_LENGTH:
        return f"it has {len(text)} characters, more than {_MAX_ID_LENGTH}"
    return None


def model_folder(schemas: Path, model_id: ModelId) -> ModelFolder:
    """The folder of a model, whether it is there or not."""
    return ModelFolder(model_id=model_id, path=schemas.joinpath(*model_id.split("/")))


def walk(schemas: Path) -> tuple[tuple[ModelFolder, ...], tuple[Diagnostic, ...]]:
    """Every folder with an input.json, sorted by id; and diagnostics for files that belong to no model."""
    folders: list[ModelFolder] = []
    diagnostics: list[Diagnostic] = []
    for root, directories, files in os.walk(schemas):
        directories[:] = sorted(directory for directory in directories if not directory.startswith("."))
        here = Path(root)
        if here == schemas:
            continue
        model_id = here.relative_to(schemas).as_posix()
        stray = sorted(name for name in files if name not in MODEL_FILES and not name.startswith("."))
        diagnostics += [_stray_file(here / name) for name in stray]
        if INPUT not in files:
            orphans = sorted(name for name in files if name in MODEL_FILES)
            diagnostics += [
                Diagnostic(
                    code="W102", message="belongs to no model: there is no input.json", file=display(here / name)
                )
                for name in orphans
            ]
        elif unreadable := [*_unreadable(here, files, schemas)]:
            diagnostics += unreadable
        elif reason := model_id_error(model_id):
            diagnostics.append(
                Diagnostic(
                    code="E030",
                    message=f"{quote(model_id)} is not a usable model id: {reason}",
                    file=display(here / INPUT),
                    help="Rename or remove the folder; the id is the path from schemas/ to it.",
                )
            )
        else:
            folders.append(ModelFolder(model_id=ModelId(model_id), path=here))
            diagnostics += _devices(model_id, here)
    return tuple(sorted(folders, key=lambda folder: folder.model_id)), tuple(diagnostics)


def dumps(value: Json) -> str:
    """The layout of the store: two spaces, values and keys in the order given, every alphabet as it is."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # Half a surrogate pair cannot be written as UTF-8; JSON can spell it.
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half.group()):04x}", text)


def write_json(path: Path, value: Json) -> None:
    """Write a file of the store, folders included; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(dumps(value))
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; these are shared like any other source.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def _unreadable(here: Path, files: list[str], schemas: Path) -> Iterator[Diagnostic]:
    """The files of a model that are not opened: a pipe would never end, and a link may show what is not the store's."""
    for path in (here / name for name in files if name in MODEL_FILES):
        try:
            if stat.S_ISREG(path.lstat().st_mode):
                continue
            target = path.resolve(strict=True)
            if not target.is_relative_to(schemas.resolve()):
                reason = "it is a link that leads out of the store"
            elif not target.is_file():
                reason = "it is not a regular file"
            else:
                continue
        except (OSError, RuntimeError) as error:  # a link to itself is a RuntimeError
            reason = getattr(error, "strerror", None) or str(error)
        yield Diagnostic(code="E001", message=f"cannot be read: {reason}", file=display(path))


def _devices(model_id: str, here: Path) -> list[Diagnostic]:
    names = [segment for segment in model_id.split("/") if segment.partition(".")[0].lower() in DEVICES]
    if not names:
        return []
    message = f"{quote(names[0])} is the name of a device on Windows, where this folder cannot be"
    return [Diagnostic(code="W103", message=message, file=display(here / INPUT))]


def _stray_file(path: Path) -> Diagnostic:
    return Diagnostic(
        code="W101",
        message="is not read: a model's folder holds " + ", ".join(MODEL_FILES),
        file=display(path),
    )


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
