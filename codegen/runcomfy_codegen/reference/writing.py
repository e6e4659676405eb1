"""Pages on disk: changed pages are written, pages of models that are gone are deleted, files of others stay."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .pages import HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """What changed, as paths below the folder.

    `foreign` files stand where a page would, or a link there leads out of the folder; then nothing was written.
    """

    changed: tuple[str, ...]
    removed: tuple[str, ...]
    foreign: tuple[str, ...] = ()


def write_pages(folder: Path, pages: Mapping[str, str], header: str = HEADER, suffix: str = ".md") -> WriteResult:
    """Make the folder hold these pages, each of which begins with the header. OSError passes through."""
    ours, others = _existing_pages(folder, header, suffix)
    root = folder.resolve()
    if foreign := sorted(
        path for path in pages if path in others or not (folder / path).resolve().is_relative_to(root)
    ):
        return WriteResult(changed=(), removed=(), foreign=tuple(foreign))
    removed = sorted(ours.keys() - pages.keys())
    changed = [path for path, text in pages.items() if ours.get(path) != text]
    for path in removed:
        (folder / path).unlink()
    for path in changed:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(pages[path], encoding="utf-8", newline="\n")
    for here, _, _ in sorted(os.walk(folder), reverse=True) if removed else ():
        if not os.listdir(here):  # noqa: PTH208 - a walk gives strings
            os.rmdir(here)  # noqa: PTH106
    return WriteResult(changed=tuple(sorted(changed)), removed=tuple(removed))


def write_page(file: Path, text: str) -> bool:
    """Make a file hold this page; False if the file there is not one of ours. OSError passes through."""
    before = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    if before and not before.startswith(HEADER):
        return False
    if before != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    return True


def _existing_pages(folder: Path, header: str, suffix: str) -> tuple[dict[str, str], set[str]]:
    """The pages that are there with their text, and the files that are not ours."""
    ours: dict[str, str] = {}
    others: set[str] = set()
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace") if path.suffix == suffix else ""
        if text.startswith(header):
            ours[name] = text
        else:
            others.add(name)
    return ours, others
