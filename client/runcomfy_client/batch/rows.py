"""The rows of a batch: JSON lines, a CSV or Parquet file, or any iterable of dicts.

A row is ``{"model": ..., "input": {...}, "key": ..., "price": ...}``; ``key`` and ``price`` may be left out, and
``model`` where the batch has one. In CSV the columns are the input's wire names besides ``model``, ``key`` and
``price``; a cell is typed by the model's schema, an empty one is not part of the input, ``@path`` names a file. Parquet
has the same columns, or ``input`` with structs; texts in it are read as cells, null is left out. In JSON lines a media
field takes ``@path``, too. A path is relative to the folder of the file that names it.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ..errors import ConfigurationError
from ..schema import Media, map_media
from ..schema.json_payload import SCHEMA_KEY
from ..text_values import kinds_in, typed_value

if TYPE_CHECKING:
    from ..packages import ModelPackage
    from ..schema import Node

Jobs: TypeAlias = "str | os.PathLike[str] | Iterable[Mapping[str, object]]"

COLUMNS = ("model", "key", "price", "input")
LONGEST_KEY = 200
# More than anybody has, and still a whole number of microdollars in a database.
MOST_USD = 10**12
# A line that long is no prompt with a data: URI in it any more, but a file of another kind.
LONGEST_LINE = 256 * 1024 * 1024


class Row(NamedTuple):
    """A row as it was read. ``place`` names it in messages: a line of the file, or a number.

    other_model: the model that "$schema" in the input names, where that is another one.
    """

    number: int
    place: str
    model_id: str
    input: Mapping[str, object]
    key: str | None
    price: float | None
    other_model: str | None = None


class RowError(Exception):
    """A row that cannot be read."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


def read_rows(jobs: Jobs, model_id: str | None, package: ModelPackage) -> Iterator[Row | RowError]:
    """Every row, one after the other; of those that cannot be read, the error. Raises ConfigurationError, OSError."""
    if isinstance(jobs, (str, os.PathLike)):
        path = Path(jobs).expanduser()
        if path.suffix.lower() in (".csv", ".tsv"):
            return _csv_rows(path, model_id, package)
        if path.suffix.lower() in (".parquet", ".pq"):
            return _parquet_rows(path, model_id, package)
        return _json_rows(path, model_id, package)
    if isinstance(jobs, Mapping) or not isinstance(jobs, Iterable):
        raise ConfigurationError("The jobs of a batch are a path, or an iterable of dicts with a model and an input.")
    return _object_rows(jobs, model_id, package)


def is_one_shot(jobs: Jobs) -> bool:
    """Whether the rows can be read only once."""
    return isinstance(jobs, Iterator)


def _object_rows(
    jobs: Iterable[Mapping[str, object]], model_id: str | None, package: ModelPackage
) -> Iterator[Row | RowError]:
    for number, job in enumerate(jobs, 1):
        yield _row(number, f"job {number}", job, model_id, package)


def _json_rows(path: Path, model_id: str | None, package: ModelPackage) -> Iterator[Row | RowError]:
    folder = Path.cwd() if str(path) == "-" else path.absolute().parent
    stream = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    try:
        for number, line in enumerate(stream, 1):
            place = f"line {number}"
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            try:
                value = json.loads(line, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
            except UnicodeDecodeError:
                yield RowError(place, "is not UTF-8 text")
                continue
            except (ValueError, RecursionError) as error:
                yield RowError(place, f"is not JSON: {error}")
                continue
            row = _row(number, place, value, model_id, package)
            yield _with_files(row, package, folder) if isinstance(row, Row) else row
    finally:
        if stream is not sys.stdin.buffer:
            stream.close()


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands in it twice")
    return values


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def _row(number: int, place: str, raw: object, model_id: str | None, package: ModelPackage) -> Row | RowError:
    if not isinstance(raw, Mapping):
        return RowError(place, 'is no object such as {"model": ..., "input": {...}}')
    unknown = [name for name in raw if name not in COLUMNS]
    if unknown:
        hint = "" if "input" in raw else '; the values for the model belong under "input"'
        return RowError(place, f"has the unknown key {unknown[0]!r:.80}{hint}")
    payload = raw.get("input")
    if payload is not None and not isinstance(payload, Mapping) and callable(getattr(payload, "to_payload", None)):
        model_id = getattr(payload, "_model_id", None) or model_id
        payload = payload.to_payload()
    if not isinstance(payload, Mapping):
        return RowError(place, 'has no "input", an object with the values for the model')
    named = payload.get(SCHEMA_KEY)
    spec = None
    if isinstance(named, str):  # for editors; never sent
        spec = package.spec_named(named)
        payload = {name: value for name, value in payload.items() if name != SCHEMA_KEY}
    model = raw.get("model", model_id if spec is None or model_id is not None else spec.model_id)
    if not isinstance(model, str) or not model.strip():
        return RowError(place, 'has no "model"; add it, or give --model (model=) for such rows')
    row = _checked(number, place, model.strip(), payload, raw.get("key"), raw.get("price"))
    if isinstance(row, Row) and spec is not None and spec.model_id != row.model_id:
        row = row._replace(other_model=spec.model_id)
    return row


def _checked(
    number: int, place: str, model_id: str, payload: Mapping[str, object], key: object, price: object
) -> Row | RowError:
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    if key is not None:
        if not isinstance(key, str) or not key.strip() or len(key) > LONGEST_KEY:
            return RowError(place, f"has a key that is no text of 1 to {LONGEST_KEY} characters")
        if not key.isprintable():
            return RowError(place, "has a key with characters that cannot be printed")
    if price is not None:
        if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 <= price < MOST_USD:
            return RowError(place, f"has a price that is no amount of US dollars: {price!r:.40}")
        price = float(price)
    return Row(number, place, model_id, payload, key, price)


def _csv_rows(path: Path, model_id: str | None, package: ModelPackage) -> Iterator[Row | RowError]:
    csv.field_size_limit(LONGEST_LINE)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = [name.strip() for name in next(reader, [])]
        except (csv.Error, UnicodeDecodeError) as error:
            yield RowError("line 1", _not_csv(error))
            return
        if doubled := next((name for name in names if names.count(name) > 1), None):
            raise ConfigurationError(f"{path} has the column {doubled!r} twice.")
        while True:
            place = f"line {reader.line_num + 1}"
            try:
                cells = next(reader, None)
            except (csv.Error, UnicodeDecodeError) as error:
                yield RowError(place, _not_csv(error))
                return
            if cells is None:
                return
            if any(cells):
                yield _csv_row(reader.line_num, place, names, cells, model_id, package, path.absolute().parent)


def _not_csv(error: csv.Error | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):  # the file is read in blocks, so its line is not known
        return "or a later one is not UTF-8 text; save the file as UTF-8"
    return f"is not CSV: {error}"


def _csv_row(
    number: int,
    place: str,
    names: list[str],
    cells: list[str],
    model_id: str | None,
    package: ModelPackage,
    folder: Path,
) -> Row | RowError:
    if len(cells) > len(names):
        return RowError(place, f"has {len(cells)} cells, and the first line names {len(names)} columns")
    values: dict[str, object] = {name: cell for name, cell in zip(names, cells, strict=False) if cell != ""}
    return _table_row(number, place, values, model_id, package, folder)


def _parquet_rows(path: Path, model_id: str | None, package: ModelPackage) -> Iterator[Row | RowError]:
    try:
        from pyarrow import ArrowException  # type: ignore[import-untyped]  # it has no types
        from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]  # as above
    except ImportError as error:
        raise ConfigurationError(
            "A Parquet file needs pyarrow.", cure='pip install "runcomfy-client[parquet]"'
        ) from error
    folder = path.absolute().parent
    with path.open("rb") as stream:
        try:
            number = 0
            for part in ParquetFile(stream).iter_batches(batch_size=1000):
                for raw in part.to_pylist():
                    number += 1
                    place = f"row {number}"
                    values = {name: value for name, value in raw.items() if value is not None}
                    if isinstance(values.get("input"), Mapping):
                        row = _row(number, place, values, model_id, package)
                        yield _with_files(row, package, folder) if isinstance(row, Row) else row
                    else:
                        yield _table_row(number, place, values, model_id, package, folder)
        except ArrowException as error:
            raise ConfigurationError(f"{path} is not a Parquet file that can be read: {error}.") from error


def _table_row(
    number: int, place: str, values: dict[str, object], model_id: str | None, package: ModelPackage, folder: Path
) -> Row | RowError:
    """A row of a table: its columns are the input's wire names besides model, key and price."""
    model = values.pop("model", model_id)
    key, price = values.pop("key", None), values.pop("price", None)
    if not isinstance(model, str) or not model:
        return RowError(place, 'names no model; add a column "model", or give --model (model=) for such rows')
    if isinstance(price, str):
        try:
            price = float(price)
        except ValueError:
            return RowError(place, f"has a price that is no number: {price!r:.40}")
    spec = package.spec(model)
    known = spec.input.properties if spec is not None else {}
    payload: dict[str, object] = {}
    for name, cell in values.items():
        if not name:
            return RowError(place, "has a cell in a column without a name")
        node = known[name].node if name in known else None
        if not isinstance(cell, str):
            payload[name] = cell
            continue
        try:
            payload[name] = _cell(node, cell, folder)
        except (OSError, UnicodeDecodeError) as error:
            return RowError(place, f"{name}: the file {cell[1:]} cannot be read: {error}")
    return _checked(number, place, model, payload, key, price)


def _cell(node: Node | None, cell: str, folder: Path) -> object:
    """As ``key=value`` on the command line: ``@path`` is a file, ``@@`` a text that begins with @."""
    if cell.startswith("@@"):
        return typed_value(node, cell[1:])
    if not cell.startswith("@"):
        return typed_value(node, cell)
    path = folder / Path(cell[1:]).expanduser()
    if node is None or Media in set(kinds_in(node)):
        return typed_value(node, path) if node is not None else path
    return typed_value(node, path.read_text(encoding="utf-8-sig").removesuffix("\n").removesuffix("\r"))


def _with_files(row: Row, package: ModelPackage, folder: Path) -> Row:
    """The row with paths for each ``@path`` at a media field; JSON has no other way to name a file."""
    spec = package.spec(row.model_id)
    if spec is None or not _names_file(row.input):
        return row

    def with_path(value: object) -> object:
        if isinstance(value, str) and value.startswith("@"):
            return folder / Path(value[1:]).expanduser()
        return value

    payload = map_media(spec.input, row.input, with_path)
    assert isinstance(payload, Mapping)
    return row._replace(input=payload)


def _names_file(value: object) -> bool:
    if isinstance(value, str):
        return value.startswith("@")
    if isinstance(value, Mapping):
        return any(map(_names_file, value.values()))
    return isinstance(value, list) and any(map(_names_file, value))
