"""Results kept on disk by request id: a folder a job with its files and a `result.json`, written whole and found again.

    store = ResultStore("results")
    kept = store.save(job.wait())            # results/<request id>/<request id>-1.png, ..., result.json
    store.find(job.request_id).files[0].path
    store.find(job.request_id).thumbnail(1)

`result.json` is written last, in one step, so a folder that has it has all files. A save that fails half-way leaves
what it fetched; the next one fetches the rest. Saving the same result again fetches nothing and brings in what came
late, such as the cost. A file that is not as it was recorded is fetched again; what was there is kept beside it as
`.damaged`, since its address may have expired, or the change may be the user's own. Any number of threads and processes
may share a store. Reading one needs no client and no token.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .api.arguments import path_of
from .api.download import Part
from .api.file_names import clean_id, numbered_names
from .api.values import LARGEST
from .errors import ConfigurationError, DownloadError
from .media.kinds import mime_of
from .transport.hooks import log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from .api.values import DownloadProgress
    from .results import AsyncResult, Result, ResultData

RECORD = "result.json"
FORMAT = 1
THUMBNAIL = 256
_LARGEST_RECORD = 256 * 1024 * 1024
# What a thumbnail may cost: a picture of more pixels is left without one.
_MOST_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of a kept result. ``kind`` is image, video, audio or file; ``size`` is in bytes."""

    path: Path
    kind: str
    mime: str
    size: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """A kept result. ``cost`` is in US dollars, None if it was not known yet; ``saved_at`` in seconds since 1970."""

    request_id: str
    model_id: str | None
    job_key: str | None
    cost: float | None
    output: Any
    warnings: tuple[str, ...]
    input: Any
    files: tuple[StoredFile, ...]
    saved_at: float
    folder: Path

    def thumbnail(self, index: int = 1, size: int = THUMBNAIL) -> Path | None:
        """A small picture of file number ``index``, at most ``size`` pixels on its longer side; made once, then kept.

        None if the file is no picture, or one that Pillow does not read. Needs Pillow.
        """
        if not 1 <= index <= len(self.files) or not 1 <= size <= 4096:
            return None
        return _thumbnail(self.files[index - 1].path, self.folder / "thumbnails", f"{index}-{size}", size)


class _Remembered(NamedTuple):
    version: tuple[int, ...]
    record: Path
    result: StoredResult


class StoreData:
    """Where a store is, and how it is read and written.

    remember: keep in memory what ``list`` has read, and read again only the records that have changed: for a program
    that lists often. The same objects are then returned again, so leave what they hold as it is.
    """

    def __init__(self, folder: str | PathLike[str], *, remember: bool = False) -> None:
        self.folder = path_of("folder", folder)
        if self.folder.is_file():
            raise ConfigurationError(f"{self.folder} is a file; a store of results is a folder.")
        self._remember = remember
        self._remembered: dict[str, _Remembered] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r})"

    def _folder_of(self, request_id: str) -> Path:
        return self.folder / clean_id(request_id)

    def _find(self, request_id: str) -> StoredResult | None:
        result = _read(self._folder_of(request_id))
        return result if result is not None and result.request_id == request_id and _is_whole(result) else None

    def _list(self) -> list[StoredResult]:
        if not self.folder.is_dir():
            return []
        results = self._changed_and_remembered() if self._remember else map(_read, self.folder.iterdir())
        return sorted(
            (result for result in results if result is not None and _is_whole(result)),
            key=lambda result: result.saved_at,
            reverse=True,
        )

    def _changed_and_remembered(self) -> list[StoredResult]:
        """What the records say. A record is written anew under its name, so another one is another file."""
        remembered = {}
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            known = self._remembered.get(name)
            record = self.folder / name / RECORD if known is None else known.record
            try:
                status = record.stat()
            except OSError:
                continue
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            if known is not None and known.version == version:
                remembered[name] = known
            elif (result := _read(record.parent)) is not None:
                remembered[name] = _Remembered(version, record, result)
        self._remembered = remembered
        return [known.result for known in remembered.values()]

    def _set_damaged_aside(self, result: ResultData[object]) -> Path:
        """Rename files that are not as they were recorded, so that they are fetched again; returns the job's folder."""
        folder = self._folder_of(result.request_id)
        stored = _read(folder)
        try:
            for file in () if stored is None else stored.files:
                if file.path.is_file() and file.path.stat().st_size != file.size:
                    names = numbered_names(f"{file.path.name}.damaged")
                    file.path.rename(next(path for name in names if not (path := folder / name).exists()))
        except OSError as error:
            raise self._error(result, f"Damaged files in {folder} cannot be set aside: {error}.") from error
        return folder

    def _error(self, result: ResultData[object], message: str) -> DownloadError:
        return DownloadError(message, request_id=result.request_id, model_id=result.model_id)

    def _write(self, result: ResultData[object], paths: list[Path]) -> StoredResult:
        folder = self._folder_of(result.request_id)
        earlier = _read(folder)
        if earlier is not None and earlier.request_id != result.request_id:
            earlier = None
        try:
            record = {
                "format": FORMAT,
                "request_id": result.request_id,
                "model_id": result.model_id,
                # A job that was picked up again knows less of itself.
                "job_key": _first(result._job.job_key, earlier and earlier.job_key),
                "cost": _first(result.cost, earlier and earlier.cost),
                "output": result.raw.get("output"),
                "warnings": list(result.warnings),
                "input": _first(result._job.input, earlier and earlier.input),
                "files": [
                    {"name": path.name, "kind": file.kind, "url": file.url, **_facts(path)}
                    for file, path in zip(result.files, paths, strict=True)
                ],
                "saved_at": time.time() if earlier is None else earlier.saved_at,
            }
            folder.mkdir(parents=True, exist_ok=True)
            part = Part(folder)
            try:
                part.handle.write((json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
                part.move_to(folder / RECORD, overwrite=True)
            finally:
                part.discard()
        except (OSError, RecursionError) as error:
            failure = self._error(result, f"The files were fetched, but {folder / RECORD} cannot be written: {error}.")
            failure.saved = tuple(paths)
            raise failure from error
        stored = _read(folder)
        assert stored is not None
        return stored


class ResultStore(StoreData):
    """A folder of results, for results of `RunComfy`. The folder is made by the first save."""

    def save(
        self,
        result: Result[object],
        *,
        on_progress: Callable[[DownloadProgress], object] | None = None,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,
    ) -> StoredResult:
        """Fetch the files that are not here yet, and write the record. Arguments and errors as for ``download``."""
        paths = result.download(
            self._set_damaged_aside(result),
            on_progress=on_progress,
            hosts=hosts,
            max_bytes=max_bytes,
            timeout=timeout,
        )
        return self._write(result, paths)

    def find(self, request_id: str) -> StoredResult | None:
        """The result of a job, or None if it is not here, or not whole."""
        return self._find(request_id)

    def list(self) -> list[StoredResult]:
        """All results that are here, the newest first."""
        return self._list()


class AsyncResultStore(StoreData):
    """A folder of results, for results of `AsyncRunComfy`. The folder is made by the first save."""

    async def save(
        self,
        result: AsyncResult[object],
        *,
        on_progress: Callable[[DownloadProgress], object] | None = None,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,  # noqa: ASYNC109 - it is the download's
    ) -> StoredResult:
        """Fetch the files that are not here yet, and write the record. Arguments and errors as for ``download``."""
        paths = await result.download(
            await asyncio.to_thread(self._set_damaged_aside, result),
            on_progress=on_progress,
            hosts=hosts,
            max_bytes=max_bytes,
            timeout=timeout,
        )
        return await asyncio.to_thread(self._write, result, paths)

    async def find(self, request_id: str) -> StoredResult | None:
        """The result of a job, or None if it is not here, or not whole."""
        return await asyncio.to_thread(self._find, request_id)

    async def list(self) -> list[StoredResult]:
        """All results that are here, the newest first."""
        return await asyncio.to_thread(self._list)


def _first(now: object, earlier: object) -> object:
    return earlier if now is None else now


def _facts(path: Path) -> dict[str, object]:
    return {"mime": mime_of(path), "size": path.stat().st_size}


def _read(folder: Path) -> StoredResult | None:
    """The result in a folder; None if its record is missing or invalid."""
    path = folder / RECORD
    try:
        if path.stat().st_size > _LARGEST_RECORD:
            return None
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            log.warning("%s is of format %s, which this version does not read.", path, record["format"])
            return None
        files = tuple(_stored_file(folder, entry) for entry in record["files"])
        result = StoredResult(
            request_id=str(record["request_id"]),
            model_id=record["model_id"],
            job_key=record["job_key"],
            cost=record["cost"],
            output=record["output"],
            warnings=tuple(record["warnings"]),
            input=record["input"],
            files=files,
            saved_at=float(record["saved_at"]),
            folder=folder,
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        log.warning("%s is not a record of a result: %s", path, error)
        return None
    return result


def _is_whole(result: StoredResult) -> bool:
    """Whether every file is there as it was recorded."""
    try:
        return all(
            stat.S_ISREG((status := file.path.stat()).st_mode) and status.st_size == file.size for file in result.files
        )
    except OSError:
        return False


def _stored_file(folder: Path, record: dict[str, Any]) -> StoredFile:
    name = record["name"]
    if not isinstance(name, str) or Path(name).name != name:
        raise ValueError(f"{name!r} is not a file name")
    return StoredFile(
        path=folder / name, kind=record["kind"], mime=record["mime"], size=int(record["size"]), url=record["url"]
    )


def _thumbnail(path: Path, folder: Path, name: str, size: int) -> Path | None:
    target = folder / f"{name}.png"
    if target.is_file() and target.stat().st_size:
        return target
    import io
    import warnings

    from PIL import Image, ImageOps

    small = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; there is a bound of our own
            with Image.open(path) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    return None
                picture.draft("RGB", (size, size))  # a large JPEG is decoded small
                turned = ImageOps.exif_transpose(picture)
                turned.thumbnail((size, size))
                mode = "RGBA" if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info else "RGB"
                turned.convert(mode).save(small, "PNG", optimize=True)
    except Exception as error:  # noqa: BLE001  # a hostile file makes a reader raise anything
        log.info("%s has no thumbnail: %s: %s", path, type(error).__name__, error)
        return None
    try:
        folder.mkdir(exist_ok=True)
        part = Part(folder)
        try:
            part.handle.write(small.getvalue())
            part.move_to(target, overwrite=True, durable=False)
        finally:
            part.discard()
    except OSError as error:
        log.warning("The thumbnail %s cannot be written: %s", target, error)
        return None
    return target
