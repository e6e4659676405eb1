"""Build units: from the cache, in this process if a few are missing, in a pool of processes if many are."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from .unit import build_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .cache import Cache
    from .unit import Task, Unit

# What a worker needs and this process does not; by name, so that it is loaded there only.
PRELOADED = "runcomfy_codegen.rendering.render"
# A worker costs the loading of black and datamodel-code-generator, about as much as a dozen models.
_MIN_TASKS_PER_WORKER = 12
# Large enough for few messages between processes, small enough to share the work evenly.
_CHUNK_SIZE = 8


def build_all(
    tasks: Sequence[Task], cache: Cache | None, progress: Callable[[int, int], None]
) -> tuple[list[Unit], int]:
    """The units of all tasks, in order, and how many of them had to be built.

    `progress` is called with done and total.
    """
    units: dict[int, Unit] = {}
    missing: list[int] = []
    for number, task in enumerate(tasks):
        unit = cache.get(task) if cache else None
        if unit is None:
            missing.append(number)
        else:
            units[number] = unit
    built = _build([tasks[number] for number in missing])
    for done, (number, unit) in enumerate(zip(missing, built, strict=True), 1):
        units[number] = unit
        if cache:
            cache.put(tasks[number], unit)
        progress(done, len(missing))
    if cache:
        cache.keep_only(tasks)
    return [units[number] for number in range(len(tasks))], len(missing)


def _build(tasks: Sequence[Task]) -> Iterator[Unit]:
    workers = min(_processors(), len(tasks) // _MIN_TASKS_PER_WORKER)
    if workers < 2:
        yield from map(build_unit, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=_context()) as pool:
        try:
            yield from pool.map(build_unit, tasks, chunksize=_CHUNK_SIZE)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _context() -> multiprocessing.context.BaseContext:
    """A server that loads the libraries once and forks workers off, so that they share that memory."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    return context


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
