"""The check of a whole batch before its first cent: every row, in one pass, without holding them in memory.

A plan is a SQLite file in a folder for temporary files. Each row is read, validated as a submit would, and written
down with its key; `store` takes the rows over from there when the batch runs. So a check and a run say the same, an
iterator is read only once, and a million rows need no more memory than a thousand.

A key that is not given is made of the digest of model and input, with a number where the same input stands several
times: lines that are inserted or moved keep their keys, and nothing is paid again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.payload import input_digest
from ..describe.prices import micro, outputs_of, seconds_of
from ..errors import ConfigurationError, RunComfyError
from ..identifiers import check_model_id
from ..media.sources import LocalMedia
from ..prepare import prepare_input
from .rows import MOST_USD, Row, RowError, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..describe.prices import Price
    from ..media.probe import Probe
    from ..packages import ModelPackage
    from .rows import Jobs

# So many problems are kept; beyond that only their number.
MOST_PROBLEMS = 1000
ITEM_COLUMNS = "number, key, model_id, digest, input, media, price, outputs, seconds"
TABLES = """
CREATE TABLE planned (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    model_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    input TEXT NOT NULL,
    media TEXT,
    price INTEGER,
    outputs REAL NOT NULL,
    seconds REAL NOT NULL
) STRICT;
CREATE TABLE occurrences (digest TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE contents (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """What is wrong with one row. ``place`` is "line 7" of a file, or "job 7"."""

    place: str
    message: str
    key: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEstimate:
    """One model of a batch. ``price`` is US dollars for one ``unit``; None where nobody told it."""

    model_id: str
    jobs: int
    price: float | None
    unit: str
    estimate: float | None


@dataclass(kw_only=True)
class BatchCheck:
    """What a check found. ``bool(check)`` is ``check.ok``.

    rows: rows read. jobs: jobs they stand for. problem_count: all problems; ``problems`` has the first 1,000.
    duplicates: rows that repeat key and input of another row, and so are the same job.
    repeats: rows without a key that repeat an input: each is a job of its own, and paid.
    warnings, unchecked: findings that do not refuse a row.
    estimate: US dollars for all jobs, None if a model has no price; ``unpriced`` names those models.
    """

    rows: int = 0
    jobs: int = 0
    problem_count: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    duplicates: int = 0
    repeats: int = 0
    warnings: int = 0
    unchecked: int = 0
    models: tuple[ModelEstimate, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problem_count

    def __bool__(self) -> bool:
        return self.ok

    @property
    def unpriced(self) -> tuple[str, ...]:
        return tuple(model.model_id for model in self.models if model.estimate is None)

    @property
    def estimate(self) -> float | None:
        amounts = [model.estimate for model in self.models]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)

    def __str__(self) -> str:
        if self.ok:
            return f"{self.jobs} jobs of {self.rows} rows can be sent."
        lines = [f"{self.problem_count} of {self.rows} rows cannot be sent, so nothing was sent."]
        lines += [f"  {problem}" for problem in self.problems[:20]]
        if self.problem_count > 20:
            lines.append(f"  and {self.problem_count - 20} more")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """A dict that JSON can hold."""
        return {
            "rows": self.rows,
            "jobs": self.jobs,
            "problem_count": self.problem_count,
            "problems": [
                {"place": problem.place, "message": problem.message, "key": problem.key} for problem in self.problems
            ],
            "duplicates": self.duplicates,
            "repeats": self.repeats,
            "warnings": self.warnings,
            "unchecked": self.unchecked,
            "estimate": self.estimate,
            "unpriced": list(self.unpriced),
            "models": [
                {"model": m.model_id, "jobs": m.jobs, "price": m.price, "unit": m.unit, "estimate": m.estimate}
                for m in self.models
            ],
        }

    def add(self, problem: RowProblem) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


class Plan:
    """The rows of a batch, checked."""

    def __init__(self, package: ModelPackage, *, validate: bool, probe: Probe | None = None) -> None:
        self._package = package
        self._validate = validate
        self._probe = probe
        folder = tempfile.mkdtemp(prefix="runcomfy-batch-")
        self.path = Path(folder) / "plan.sqlite3"
        self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        # For a batch that is only checked: nobody closes that.
        self._finalizer = weakref.finalize(self, _discard, self._connection, folder)
        self._connection.execute("PRAGMA journal_mode = OFF")  # it is lost with the process, and made anew
        self._connection.execute("PRAGMA synchronous = OFF")
        for statement in TABLES.split(";"):
            self._connection.execute(statement)
        self.check = BatchCheck()
        self.prices: Mapping[str, Price] = {}

    def read(self, jobs: Jobs, model_id: str | None) -> BatchCheck:
        """Read and check all rows. Raises ConfigurationError, and OSError for a file that cannot be read."""
        self._connection.execute("BEGIN")
        for row in read_rows(jobs, model_id, self._package):
            self.check.rows += 1
            if isinstance(row, RowError):
                self.check.add(RowProblem(place=row.place, message=str(row)))
            else:
                self._add(row)
        self._connection.execute("COMMIT")
        # Most likely another program failed to fill the file.
        if not self.check.rows and isinstance(jobs, (str, os.PathLike)):
            self.check.add(RowProblem(place=os.fspath(jobs), message="has no rows"))
        return self.check

    def model_ids(self) -> list[str]:
        """The models of the batch that some row gives no price for."""
        rows = self._connection.execute("SELECT DISTINCT model_id FROM planned WHERE price IS NULL ORDER BY 1")
        return [model_id for (model_id,) in rows]

    def estimate(self, prices: Mapping[str, Price]) -> BatchCheck:
        """Work the prices into the check, and keep them for the store."""
        self.prices = prices
        models = []
        query = (
            "SELECT model_id, count(*), total(price), count(price), total(CASE WHEN price IS NULL THEN outputs END),"
            " total(CASE WHEN price IS NULL THEN seconds END) FROM planned GROUP BY model_id ORDER BY model_id"
        )
        for model_id, jobs, own, own_count, outputs, seconds in self._connection.execute(query):
            price = prices.get(model_id)
            estimate: float | None = own / 1_000_000
            if own_count < jobs:
                estimate = None
                if price is not None:
                    estimate = own / 1_000_000 + price.times(jobs=jobs - own_count, outputs=outputs, seconds=seconds)
            models.append(
                ModelEstimate(
                    model_id=model_id,
                    jobs=jobs,
                    price=price.usd if price else None,
                    unit=price.unit if price else "job" if own_count == jobs else "",
                    estimate=estimate,
                )
            )
        self.check.models = tuple(models)
        return self.check

    def local_paths(self) -> Iterator[Path]:
        """The files of this machine that rows name."""
        for (media,) in self._connection.execute("SELECT media FROM planned WHERE media IS NOT NULL"):
            yield from (Path(name) for _, kind, name in json.loads(media) if kind == "path")

    def close(self) -> None:
        self._finalizer()

    def _add(self, row: Row) -> None:
        try:
            check_model_id(row.model_id)
            spec = self._package.known_spec(row.model_id) if self._must_know else self._package.spec(row.model_id)
        except RunComfyError as error:
            self.check.add(RowProblem(place=row.place, message=error.message, key=row.key))
            return
        try:
            payload = prepare_input(spec, row.input, name=row.model_id, check=self._validate)
            report = payload.report
            if self._probe is not None and spec is not None and report.ok:
                from ..packages import validate_spec

                report = validate_spec(spec, dict(payload), self._probe)
            for finding in report.errors:
                self.check.add(RowProblem(place=row.place, message=str(finding), key=row.key))
            self.check.warnings += len(report.warnings) + (row.other_model is not None)
            self.check.unchecked += len(report.unchecked)
            if not report.ok:
                return
            digest = input_digest(payload)
            text, media = self._stored(payload, row.input)
        except (TypeError, ValueError, RecursionError) as error:
            self.check.add(RowProblem(place=row.place, message=f"cannot be sent as JSON: {error}", key=row.key))
            return
        key = row.key or self._made_key(row.model_id, digest)
        price = None if row.price is None else micro(row.price)
        values = (row.number, key, row.model_id, digest, text, media, price)
        added = self._connection.execute(
            f"INSERT INTO planned ({ITEM_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (*values, outputs_of(spec, payload), seconds_of(spec, payload)),
        ).rowcount
        if added:
            self.check.jobs += 1
            return
        other = self._connection.execute("SELECT model_id, digest FROM planned WHERE key = ?", (key,)).fetchone()
        if other == (row.model_id, digest):
            self.check.duplicates += 1
        else:
            message = f"has the key {key!r}, which an earlier row has with another input"
            self.check.add(RowProblem(place=row.place, message=message, key=key))

    @property
    def _must_know(self) -> bool:
        return self._validate and bool(self._package.models)

    def _made_key(self, model_id: str, digest: str) -> str:
        made = hashlib.sha256(f"{model_id}\0{digest}".encode()).hexdigest()[:20]
        self._connection.execute(
            "INSERT INTO occurrences VALUES (?, 1) ON CONFLICT (digest) DO UPDATE SET number = number + 1", (made,)
        )
        (number,) = self._connection.execute("SELECT number FROM occurrences WHERE digest = ?", (made,)).fetchone()
        if number == 1:
            return made
        self.check.repeats += 1
        return f"{made}-{number}"

    def _stored(self, payload: Mapping[str, object], raw: Mapping[str, object]) -> tuple[str, str | None]:
        """The payload as JSON, and where local media belong in it: each with its path, or the digest of its content."""
        media: list[list[object]] = []
        plain = self._without_media(payload, raw, [], media)
        return json.dumps(plain, allow_nan=False), json.dumps(media) if media else None

    def _without_media(self, value: object, raw: object, keys: list[str | int], media: list[list[object]]) -> object:
        if isinstance(value, LocalMedia):
            if isinstance(raw, os.PathLike):
                media.append([keys, "path", str(Path(raw).absolute())])
            else:
                digest = hashlib.sha256(value.data).hexdigest()
                self._connection.execute(
                    "INSERT INTO contents VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, value.data)
                )
                media.append([keys, "content", digest])
            return None
        if isinstance(value, Mapping):
            inside = raw if isinstance(raw, Mapping) else {}
            return {
                name: self._without_media(item, inside.get(name), [*keys, name], media) for name, item in value.items()
            }
        if isinstance(value, list):
            listed = list(raw) if isinstance(raw, (list, tuple)) else []
            return [
                self._without_media(item, listed[at] if at < len(listed) else None, [*keys, at], media)
                for at, item in enumerate(value)
            ]
        return value


def _discard(connection: sqlite3.Connection, folder: str) -> None:
    connection.close()
    shutil.rmtree(folder, ignore_errors=True)


def with_media(text: str, media: str | None, content: Mapping[str, bytes]) -> dict[str, object]:
    """The input that ``_stored`` has written down. Files are read again, so the submit compares digests."""
    payload: dict[str, object] = json.loads(text)
    for keys, kind, name in json.loads(media) if media else ():
        place: object = payload
        for key in keys[:-1]:
            place = place[key]  # type: ignore[index]  # it is as it was written
        place[keys[-1]] = Path(name) if kind == "path" else content[name]  # type: ignore[index]
    return payload


def content_names(media: str | None) -> Iterator[str]:
    """The digests of the contents that an input needs."""
    for _, kind, name in json.loads(media) if media else ():
        if kind == "content":
            yield name


def checked_amount(name: str, value: object) -> float | None:
    """An amount of US dollars that an argument gives."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < MOST_USD:
        raise ConfigurationError(f"The argument {name} is {value!r:.80}; it must be an amount of US dollars.")
    return float(value)
