"""results.jsonl: one line for each job that ended, derived from the store.

The store is the truth. When a run begins, the file is compared with it line by line; where they differ (a line cut by
a kill, jobs that were retried or settled) it is cut there and written anew from that place. So it is never torn, and
no job stands in it twice. Lines come in the order in which jobs end; with ``ordered`` in that of the rows, each as
soon as all before it have ended, and at the end of a run those that are left.
"""

from __future__ import annotations

import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any, Protocol

from .items import ENDED
from .store import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from ..journal.sql import Row
    from .store import BatchStore

NAME = "results.jsonl"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("key", "model", "state", "request_id", "cost", "files", "error")


class Results(Protocol):
    """What follows the store while a batch runs."""

    def repair(self) -> None: ...

    def add(self, rows: list[Row]) -> None: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...


class ResultsFile:
    """The file in the batch's folder, kept in step with the store."""

    def __init__(self, store: BatchStore, *, ordered: bool) -> None:
        self.path: Path = store.folder / NAME
        self._store = store
        self._ordered = ordered
        self._last = 0
        self._file: BinaryIO | None = None

    def repair(self) -> None:
        """Bring the file in line with the store."""
        self.close()
        self._last = 0
        self.path.touch()
        self._file = self.path.open("r+b")
        length = 0
        for row in self._rows():
            line = line_of(row)
            present = self._file.readline(len(line) + 1)  # a line that is not ours may never end
            if present != line:
                break
            length += len(line)
            self._last = row["number" if self._ordered else "seq"]
        self._file.seek(length)
        self._file.truncate()
        self._catch_up()

    def add(self, rows: list[Row]) -> None:
        """Append these items, in the order in which they were written down, and whatever else has ended."""
        if self._file is None:
            return
        for row in rows:
            if row["seq"] is None:
                continue
            if self._ordered or row["seq"] != self._last + 1:
                self._catch_up()
                return
            self._file.write(line_of(row))
            self._last = row["seq"]
        self._file.flush()

    def _catch_up(self) -> None:
        """Append what has ended since."""
        if self._file is None:
            return
        wrote = False
        for row in self._rows():
            self._file.write(line_of(row))
            self._last = row["number" if self._ordered else "seq"]
            wrote = True
        if wrote:
            self._file.flush()

    def finish(self) -> None:
        """At the end of a run: the lines that an ordered file holds back."""
        self._catch_up()
        if self._ordered and self._file is not None:
            after = self._last
            while page := self._store.ended_items(ordered=True, after=after):
                self._file.writelines(line_of(row) for row in page if row["state"] in ENDED)
                after = page[-1]["number"]
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rows(self) -> Iterator[Row]:
        after = self._last
        while page := self._store.ended_items(ordered=self._ordered, after=after):
            for row in page:
                if row["state"] not in ENDED:
                    return
                yield row
            if len(page) < PAGE:
                return
            after = page[-1]["number" if self._ordered else "seq"]


def ended(store: BatchStore) -> Iterator[Row]:
    """Every item that ended, in the order in which they did, read as needed."""
    after = 0
    while page := store.ended_items(ordered=False, after=after):
        yield from page
        after = page[-1]["seq"]


def export(store: BatchStore, path: Path) -> int:
    """Write every item that ended into a file, whole or not at all: a CSV file by its name, else JSON lines.

    Others may write the same file at the same time. Returns how many there are.
    """
    beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    number = 0
    try:
        with beside.open("wb") as file:
            as_line = _csv_line if path.suffix.lower() == ".csv" else line_of
            if as_line is _csv_line:
                file.write(_csv_text(COLUMNS))
            for row in ended(store):
                file.write(as_line(row))
                number += 1
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return number


def _csv_line(row: Row) -> bytes:
    facts = facts_of(row)
    return _csv_text(["; ".join(value) if name == "files" else value for name, value in facts.items()])


def _csv_text(values: Iterable[object]) -> bytes:
    """A spreadsheet would carry out a text that begins as a formula does, so such a text gets an apostrophe first."""
    text = io.StringIO()
    csv.writer(text).writerow(
        f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value for value in values
    )
    return text.getvalue().encode("utf-8", "backslashreplace")


def line_of(row: Row) -> bytes:
    """The line of one item."""
    return (json.dumps(facts_of(row), ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def facts_of(row: Row) -> dict[str, Any]:
    files = json.loads(row["files"]) if row["files"] else []
    values = (row["key"], row["model_id"], row["state"], row["request_id"], row["cost"], files, row["error"])
    return dict(zip(COLUMNS, values, strict=True))
