"""Last step before writing: compare the tree that should be with the one on disk; decide what to write and delete.

`tree.py` makes the whole package as a map from path to bytes. The plan sorts its paths: *missing* (to be written),
*stale* (to be replaced) and *extra* (on disk, but not in the tree: to be deleted). `generate --check` stops here and
reports drift; `commit.py` does what the plan says.

Only files of the generator may be replaced or deleted. They are known by their first line; the manifest and the empty
py.typed by their own form. Any other file where one of ours belongs, or in a folder of ours, is an error (E060), and
nothing is written. A link is such a file, too: through it a write could leave the output folder. Caches and hidden
files are ignored.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import Diagnostic, display
from ..rendering.templating import HEADER
from .manifest import MANIFEST, is_manifest
from .tree import MARKER, is_ignored

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do below the package's folder, by paths relative to it; with `diagnostics` it must not be done."""

    folder: Path
    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def writes(self) -> tuple[str, ...]:
        return tuple(sorted((*self.missing, *self.stale)))

    @property
    def is_empty(self) -> bool:
        return not (self.missing or self.stale or self.extra)


def plan(folder: Path, tree: Mapping[str, bytes]) -> Plan:
    """Compare. Only files of ours may be replaced or deleted; any other file in the way is an error."""
    missing: list[str] = []
    stale: list[str] = []
    extra: list[str] = []
    diagnostics: list[Diagnostic] = []
    present, links = _existing_files(folder)
    diagnostics += [_not_ours(folder / path, "is a link; the generator writes no file through one") for path in links]
    for path, content in tree.items():
        if path not in present:
            missing.append(path)
        elif (existing := (folder / path).read_bytes()) != content:
            stale.append(path)
            if not _is_ours(path, existing):
                diagnostics.append(
                    _not_ours(folder / path, "stands where a generated file belongs, but has not our first line")
                )
    for path in sorted(present - tree.keys()):
        extra.append(path)
        if not _is_ours(path, (folder / path).read_bytes()):
            diagnostics.append(_not_ours(folder / path, "is not the generator's: it has not our first line"))
    return Plan(
        folder=folder,
        missing=tuple(sorted(missing)),
        stale=tuple(sorted(stale)),
        extra=tuple(extra),
        diagnostics=tuple(diagnostics),
    )


def _existing_files(folder: Path) -> tuple[set[str], list[str]]:
    """The files below a folder, and the links, by relative path."""
    files: set[str] = set()
    links: list[str] = []
    if folder.is_symlink():
        return files, ["."]
    for root, directories, names in os.walk(folder):
        here = Path(root)
        links += [
            (here / directory).relative_to(folder).as_posix()
            for directory in directories
            if (here / directory).is_symlink()
        ]
        directories[:] = [directory for directory in directories if not is_ignored(directory)]
        for name in names:
            if is_ignored(name):
                continue
            path = (here / name).relative_to(folder).as_posix()
            if (here / name).is_symlink():
                links.append(path)
            else:
                files.add(path)
    return files, sorted(links)


def _is_ours(path: str, content: bytes) -> bool:
    if path == MANIFEST:
        return is_manifest(content)
    if path == MARKER:
        return not content.strip()
    return content.startswith(HEADER.encode())


def _not_ours(path: Path, reason: str) -> Diagnostic:
    return Diagnostic(
        code="E060",
        message=reason,
        file=display(path),
        help="Move it elsewhere, or delete it; the generator neither overwrites nor deletes it.",
    )
