"""`batch`: thousands of jobs from a file, and the folder that keeps them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ...errors import InvalidBatchError, RunComfyError
from ...schema.findings import printable
from ...schema.messages import amount
from ..batch_progress import BatchProgress, status_line
from ..errors import (
    INTERRUPTED,
    INVALID_INPUT,
    JOB_ENDED_BADLY,
    OK,
    STILL_RUNNING,
    CommandError,
    NoFileError,
    NotWrittenError,
)
from ..options import COMMON, JOBS, Common, command, complete_file
from ..output import emit_json, note, write
from ..package import open_client, program
from ..progress import clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...batch.batch import Batch
    from ...batch.folder import BatchItem, BatchReport, BatchView
    from ...batch.plan import BatchCheck

# Where no one sees the password in a list of processes.
STATE_VARIABLE = "RUNCOMFY_BATCH_STATE"
_ORDER = 8
_MOST_SHOWN = 50

File = Annotated[
    str,
    Parameter(
        name="FILE",
        help="JSON lines (one {model, input, key?, price?} a line) or CSV (columns are the model's inputs besides "
        "model, key and price); - is standard input.",
        completer=complete_file,
    ),
]
Dir = Annotated[
    str,
    Parameter(
        name="DIR", help="The batch's folder, as `batch run -o` made it; of a batch over many machines, its name."
    ),
]
State = Annotated[
    str | None,
    Parameter(
        help=f"The PostgreSQL database of a batch over many machines, postgresql://...; default: ${STATE_VARIABLE}.",
        metavar="URL",
    ),
]
Model = Annotated[str | None, Parameter(help="The model of rows that name none.", metavar="MODEL")]
Prices = Annotated[
    list[str] | None,
    Parameter(
        help="US dollars for one job of a model; may be repeated. Else the catalog's price.", metavar="MODEL=USD"
    ),
]
NoValidate = Annotated[bool, Parameter(help="Do not check inputs; also for models that are not known here.")]
Yes = Annotated[bool, Parameter(alias="-y", help="Do not ask before money is spent.")]


@command(
    parent="batch",
    group=JOBS,
    order=_ORDER,
    usage="batch check [OPTIONS] FILE",
    example=("{program} batch check prompts.csv --model bytedance/dreamina-4-0/text-to-image",),
)
def check(
    file: File,
    /,
    *,
    model: Model = None,
    probe: Annotated[bool, Parameter(help="Also look at media behind URLs (their first bytes).")] = False,
    price: Prices = None,
    no_validate: NoValidate = False,
    common: Common = COMMON,
) -> int:
    """Check every row and estimate what all of it costs. Sends no job."""
    with open_client(common.base_url, record=False, validate=not no_validate) as client:
        prices = _prices(price)
        result = _checked(client.batch(_path(file), model=model, prices=prices), prices, probe=probe)
    return _show_check(result, common)


@command(
    parent="batch",
    group=JOBS,
    order=_ORDER + 1,
    usage="batch run [OPTIONS] FILE -o DIR | --state URL",
    example=("{program} batch run prompts.csv -o out --model bytedance/dreamina-4-0/text-to-image --budget 20",),
)
def run(
    file: File,
    /,
    *,
    output_dir: Annotated[
        str | None,
        Parameter(
            alias="-o",
            help="The folder that keeps the batch; over many machines, the files; default there: as its name.",
            metavar="DIR",
        ),
    ] = None,
    state: State = None,
    model: Model = None,
    name: Annotated[
        str | None, Parameter(help="What the batch is called; default: as its folder, over many machines as FILE.")
    ] = None,
    concurrency: Annotated[int, Parameter(help="The most jobs in flight; default 100.", metavar="N")] = 100,
    submits: Annotated[int, Parameter(help="The most submits on their way at once; default 4.", metavar="N")] = 4,
    rate: Annotated[str | None, Parameter(help="The most submits a second.", metavar="N/s")] = None,
    budget: Annotated[float | None, Parameter(help="US dollars, by estimate.", metavar="USD")] = None,
    price: Prices = None,
    max_failures: Annotated[
        int | None, Parameter(help="Stop when more jobs than this failed or were refused.", metavar="N")
    ] = None,
    max_unsure: Annotated[int, Parameter(help="Stop after so many unsure submits; default 10.", metavar="N")] = 10,
    timeout: Annotated[float | None, Parameter(help="Seconds to wait for each job.", metavar="S")] = None,
    no_download: Annotated[bool, Parameter(help="Do not fetch the files.")] = False,
    ordered: Annotated[bool, Parameter(help="Write results.jsonl in the order of the rows.")] = False,
    no_validate: NoValidate = False,
    dry_run: Annotated[bool, Parameter(help="Check and estimate only, as `batch check` does.")] = False,
    yes: Yes = False,
    common: Common = COMMON,
) -> int:
    """Run the jobs of a file. The same line again goes on where it stopped, and pays nothing twice.

    Ctrl-C sends nothing more and ends when no submit is on its way; jobs in flight run on and are taken up next time.
    With --state the same line on many machines does one batch together.
    """
    state = _state(state) if output_dir is None else _state_of(output_dir, state)
    if state is not None:
        name = name or Path(output_dir or file).stem
    output_dir = output_dir or (name if state is not None else None)
    if output_dir is None:
        raise CommandError("batch run needs -o DIR, or --state URL")
    with open_client(common.base_url, record=False, validate=not no_validate) as client:
        prices = _prices(price)
        batch = client.batch(
            _path(file),
            output_dir,
            state=state,
            name=name,
            model=model,
            concurrency=concurrency,
            submits=submits,
            rate=_rate(rate),
            budget=budget,
            prices=prices,
            max_failures=max_failures,
            max_unsure=max_unsure,
            timeout=timeout,
            download=not no_download,
            ordered=ordered,
        )
        result = _checked(batch, prices, probe=False)
        if not result.ok or dry_run:
            return _show_check(result, common)
        if budget is not None and result.unpriced:
            unpriced = result.unpriced[0]
            raise CommandError(f"--budget needs a price of every model; add --price {unpriced}=USD, for one job of it")
        if not yes and not _agreed(f"Run {_summary(result)}"):
            note("Nothing was sent.")
            return INTERRUPTED
        try:
            return _run(batch, batch.run(), output_dir, common, name if state is not None else output_dir)
        except InvalidBatchError as error:  # a key has another input in this folder
            return _show_check(error.check, common)


@command(
    parent="batch",
    group=JOBS,
    order=_ORDER + 1,
    usage="batch work [OPTIONS] NAME --state URL",
    example=("{program} batch work prompts --state postgresql://me@db/batches -o out",),
)
def work(
    name: Annotated[str, Parameter(name="NAME", help="The batch's name, as `batch run --name` gave it.")],
    /,
    *,
    state: State = None,
    output_dir: Annotated[
        str | None, Parameter(alias="-o", help="The folder for files; default: as the name.", metavar="DIR")
    ] = None,
    common: Common = COMMON,
) -> int:
    """Join a batch that another machine has begun, within its limits. Ctrl-C leaves it; others take up its jobs."""
    state = _state(state)
    if state is None:
        raise CommandError(f"batch work needs --state URL, or {STATE_VARIABLE}")
    output_dir = output_dir or name
    with open_client(common.base_url, record=False) as client:
        batch = client.batch(None, output_dir, state=state, name=name)
        return _run(batch, batch.run(), output_dir, common, name)


@command(parent="batch", group=JOBS, order=_ORDER + 2, example=("{program} batch status out --watch",))
def status(
    directory: Dir,
    /,
    *,
    watch: Annotated[bool, Parameter(help="Show it until nothing works on it any more.")] = False,
    state: State = None,
    common: Common = COMMON,
) -> int:
    """Say where a batch stands, also while other processes run it, and who works on it."""
    from ...journal.base import LEASE_SECONDS

    view = _view(directory, state)
    current = view.status()
    if watch:
        with BatchProgress(view.status):
            while current.active and current.ended < current.total:
                time.sleep(0.5)
                current = view.status()
    if common.json:
        emit_json(current.to_dict())
    else:
        write(status_line(current))
        for worker in current.workers:
            seen = "seen" if worker.age < LEASE_SECONDS else "gone? last seen"
            facts = f"{worker.in_flight} in flight, {seen} {worker.age:.0f} s ago, up {clock(worker.uptime)}"
            write(f"{worker.name}: {facts}")
        if not current.active and current.in_flight:
            note(f"No process works on it; {current.in_flight} jobs are taken up by the next `{program()} batch run`.")
    return OK


@command(parent="batch", group=JOBS, order=_ORDER + 3, example=("{program} batch failures out",))
def failures(directory: Dir, /, *, state: State = None, common: Common = COMMON) -> int:
    """List what did not end well, grouped by cause."""
    groups = _view(directory, state).failures()
    if common.json:
        facts = [
            {"state": f.state, "cause": f.cause, "model": f.model_id, "count": f.count, "example": f.example}
            for f in groups
        ]
        emit_json({"failures": facts})
        return OK
    for group in groups:
        write(
            f"{group.count} {group.state}, {group.model_id}: {group.cause or 'no reason is known'} (as {group.example})"
        )
    if not groups:
        note("Nothing failed.")
    if any(group.state == "unsure" for group in groups):
        note(
            "Unsure: a paid job may have been started. Look for it on RunComfy's pages, then: "
            f"{_command('settle', directory, 'KEY')} --request-id ID, or --not-started"
        )
    if any(group.state == "expired" for group in groups):
        note(f"Expired: the result cannot be read any more. To pay again: {_command('retry', directory)} --failed")
    return OK


@command(parent="batch", group=JOBS, order=_ORDER + 4, example=("{program} batch report out --json",))
def report(directory: Dir, /, *, state: State = None, common: Common = COMMON) -> int:
    """Report what a batch did and cost, beside what the account has less."""
    summary = _view(directory, state).write_report()
    if common.json:
        emit_json(summary.to_dict())
    else:
        _print_report(summary)
    return OK


@command(parent="batch", group=JOBS, order=_ORDER + 5, example=("{program} batch export out -o results.csv",))
def export(
    directory: Dir,
    /,
    *,
    output: Annotated[
        str | None, Parameter(alias="-o", help="A file, .csv or JSON lines; default: JSON lines.", metavar="FILE")
    ] = None,
    state: State = None,
    common: Common = COMMON,
) -> int:
    """Write what became of each job that ended, a line each, also while other processes run the batch."""
    view = _view(directory, state)
    if output is None:
        for facts in view.facts():
            write(json.dumps(facts))
        return OK
    path = Path(output).expanduser()
    number = view.export(path)
    return _done({"file": str(path), "jobs": number}, f"{amount(number, 'job')} in {path}", common)


@command(parent="batch", group=JOBS, order=_ORDER + 6, example=("{program} batch retry out --failed",))
def retry(
    directory: Dir,
    /,
    *,
    failed: Annotated[bool, Parameter(help="Jobs that failed, were cancelled or expired; each is paid again.")] = False,
    refused: Annotated[bool, Parameter(help="Jobs that RunComfy refused.")] = False,
    key: Annotated[list[str] | None, Parameter(help="The job with this key; may be repeated.", metavar="KEY")] = None,
    concurrency: Annotated[int, Parameter(help="The most jobs in flight; default 100.", metavar="N")] = 100,
    budget: Annotated[
        float | None, Parameter(help="US dollars, by estimate; default: as before.", metavar="USD")
    ] = None,
    state: State = None,
    yes: Yes = False,
    common: Common = COMMON,
) -> int:
    """Run chosen jobs again, and no others."""
    keys = key or []
    if not (failed or refused or keys):
        raise CommandError("retry needs --failed, --refused or --key KEY")
    chosen = _view(directory, state).choose_retries(failed=failed, refused=refused, keys=keys)
    if not chosen:
        note("There is nothing to retry.")
        return OK
    if not yes and not _agreed(f"Run {amount(len(chosen), 'job')} again, each paid anew"):
        note("Nothing was sent.")
        return INTERRUPTED
    with open_client(common.base_url, record=False) as client:
        state = _state_of(directory, state)
        batch = client.batch(output_dir=directory, name=directory, state=state, concurrency=concurrency, budget=budget)
        return _run(batch, batch.retry(failed=failed, refused=refused, keys=keys), directory, common)


@command(parent="batch", group=JOBS, order=_ORDER + 7, example=("{program} batch settle out scene-12 --not-started",))
def settle(
    directory: Dir,
    key: Annotated[str, Parameter(name="KEY", help="The job's key, as `batch failures` and results.jsonl name it.")],
    /,
    *,
    request_id: Annotated[str | None, Parameter(help="It was started, and this is its job.", metavar="ID")] = None,
    not_started: Annotated[bool, Parameter(help="It was not started; the next run sends it.")] = False,
    state: State = None,
    common: Common = COMMON,
) -> int:
    """Say what became of an unsure job, once you have looked on RunComfy's pages.

    An id that RunComfy does not know is refused.
    """
    if (request_id is None) == (not not_started):
        raise CommandError("settle needs one of --request-id ID and --not-started")
    view = _view(directory, state)
    if request_id is None:
        view.settle(key, started=False)
    else:
        with open_client(common.base_url, record=False) as client:
            batch = client.batch(output_dir=directory, name=directory, state=_state_of(directory, state))
            batch.settle(key, request_id=request_id)
    text = "waits to be sent." if request_id is None else f"its job is {request_id}; the next run brings it."
    return _done({"key": key, "request_id": request_id}, f"{key}: {text}", common)


@command(parent="batch", group=JOBS, order=_ORDER + 8, example=("{program} batch pause out",))
def pause(directory: Dir, /, *, state: State = None, common: Common = COMMON) -> int:
    """Let a batch send nothing more, also while other processes run it; jobs in flight are seen to their end."""
    _view(directory, state).pause()
    return _done({"paused": True}, f"Paused; {_command('resume', directory)} lets it go on.", common)


@command(parent="batch", group=JOBS, order=_ORDER + 9, example=("{program} batch resume out",))
def resume(directory: Dir, /, *, state: State = None, common: Common = COMMON) -> int:
    """Let a paused batch send again: with the next run, or by the workers that wait for it."""
    view = _view(directory, state)
    view.resume()
    next_step = "its workers go on." if view.status().active else "start the run again."
    return _done({"paused": False}, f"Not paused any more; {next_step}", common)


def _done(facts: dict[str, object], text: str, common: Common) -> int:
    if common.json:
        emit_json(facts)
    else:
        note(text)
    return OK


def _command(*words: str) -> str:
    """A batch command to type next."""
    return f"{program()} batch {shlex.join(words)}"


def _state(state: str | None) -> str | None:
    return state or os.environ.get(STATE_VARIABLE) or None


def _state_of(directory: str, state: str | None) -> str | None:
    """The database of a batch that is named so; None for a folder that is there, unless a database is asked for."""
    return state or (None if (Path(directory).expanduser() / "batch.sqlite3").is_file() else _state(None))


def _view(directory: str, state: str | None) -> BatchView:
    from ...batch.batch import view_of

    return view_of(directory, _state_of(directory, state))


def _path(file: str) -> str:
    if file in ("-", "@-"):
        return "-"
    if not Path(file).expanduser().is_file():
        raise NoFileError(f"no such file: {file!r}")
    return file


def _prices(words: Sequence[str] | None) -> dict[str, float]:
    prices = {}
    for word in words or ():
        model_id, equals, text = word.rpartition("=")
        try:
            prices[model_id] = float(text)
        except ValueError:
            equals = ""
        if not equals or not model_id:
            raise CommandError(f"--price takes MODEL=USD, not {word!r}")
    return prices


def _rate(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text.strip().removesuffix("/s"))
    except ValueError:
        raise CommandError(f"--rate takes submits a second such as 2 or 0.5/s, not {text!r}") from None


def _checked(batch: Batch, prices: Mapping[str, float], *, probe: bool) -> BatchCheck:
    try:
        result = batch.check(probe=probe)
    except OSError as error:
        raise NoFileError(f"cannot read {error.filename}: {error.strerror or error}") from None
    models = {model.model_id for model in result.models}
    unused = next((model_id for model_id in prices if model_id not in models), None)
    if result.ok and unused is not None:  # most likely misspelt, and then the budget would go by another price
        raise CommandError(f"--price names {unused}, and no row has that model")
    return result


def _summary(result: BatchCheck) -> str:
    if result.estimate is not None:
        return f"{amount(result.jobs, 'job')} for about {result.estimate:.2f} USD"
    return f"{amount(result.jobs, 'job')}; no price is known of {', '.join(result.unpriced[:3])}"


def _show_check(result: BatchCheck, common: Common) -> int:
    """Print what a check found, and return the exit code."""
    if common.json:
        emit_json(result.to_dict(), ok=result.ok)
    else:
        _print_check(result)
    return OK if result.ok else INVALID_INPUT


def _print_check(result: BatchCheck) -> None:
    for problem in result.problems[:_MOST_SHOWN]:
        write(str(problem))
    if result.problem_count > _MOST_SHOWN:
        write(f"and {result.problem_count - _MOST_SHOWN} more; --json lists the first {len(result.problems)}")
    if not result.ok:
        note(f"{amount(result.problem_count, 'problem')} in {amount(result.rows, 'row')}; nothing was sent.")
        return
    for model in result.models:
        price = "no price is known; --price gives one" if model.estimate is None else f"about {model.estimate:.2f} USD"
        write(f"{model.model_id}: {amount(model.jobs, 'job')}, {price}")
    if result.duplicates:
        note(f"{amount(result.duplicates, 'row')} repeat key and input of another, and are the same job.")
    if result.repeats:
        note(f"{amount(result.repeats, 'row')} without a key repeat an input; each is a job of its own, and paid.")
    if result.warnings or result.unchecked:
        note(f"{amount(result.warnings, 'warning')}, {result.unchecked} not checked.")
    note(f"ok: {_summary(result)}.")


def _agreed(question: str) -> bool:
    """Asked above a terminal only: a script that gave the command means it."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print(f"{printable(question)}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _run(batch: Batch, items: Iterator[BatchItem], directory: str, common: Common, name: str | None = None) -> int:
    """See a run to its end, print the report, and return the exit code. name: what other commands know it by."""
    try:
        with _signals(batch), BatchProgress(batch.status):
            for item in items:
                if not item.ok:
                    note(f"{item.key} {item.state}: {item.error or 'no reason is known'}")
    except RunComfyError:
        if batch.stopped is not None:
            note("Nothing is lost: the same line again goes on.")
        raise
    except OSError as error:
        raise NotWrittenError(f"cannot write {error.filename or directory}: {error.strerror or error}") from error
    summary = batch.report()
    if common.json:
        emit_json({**summary.to_dict(), "stopped": batch.stopped}, ok=_exit_code(batch, summary) == OK)
    else:
        _print_report(summary)
        _print_rest(batch, summary, directory, name or directory)
    return _exit_code(batch, summary)


@contextmanager
def _signals(batch: Batch) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM lets the batch drain, the second stops it."""

    def stop(number: int, frame: object) -> None:
        note("stopping: no submit is sent any more, those on their way are seen to their end; again to stop at once")
        batch.stop()

    numbers = [signal.SIGINT, signal.SIGTERM]
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _exit_code(batch: Batch, summary: BatchReport) -> int:
    counts = summary.status.counts
    if batch.stopped == "interrupted":
        return INTERRUPTED
    if counts["done"] + counts["failed"] + counts["refused"] < summary.status.total:
        return STILL_RUNNING
    return JOB_ENDED_BADLY if counts["failed"] or counts["refused"] else OK


_REASONS = {
    "budget": "The budget is used up; a higher --budget goes on.",
    "failures": "More jobs failed than --max-failures allows.",
    "busy": "For ten minutes RunComfy took no job, and asked to try again later. The same line again goes on.",
    "unsure": "As many submits are unsure as --max-unsure allows.",
    "interrupted": "Interrupted; the same line again goes on.",
}


def _print_rest(batch: Batch, summary: BatchReport, directory: str, name: str) -> None:
    if batch.stopped == "paused":
        note(f"The batch is paused; {_command('resume', name)} lets it go on.")
    elif batch.stopped in _REASONS:
        note(_REASONS[batch.stopped])
    counts = summary.status.counts
    if any(counts[state] for state in ("failed", "refused", "unsure", "expired")):
        note(f"Why: {_command('failures', name)}")
    if summary.status.in_flight and batch.stopped is None:
        note(f"{amount(summary.status.in_flight, 'job')} not fetched or not over yet; the same line again goes on.")
    note(f"Results: {Path(directory) / 'results.jsonl'}")


def _print_report(summary: BatchReport) -> None:
    write(status_line(summary.status))
    for model in summary.models:
        write(f"{model['model']}: {model['done']} of {model['jobs']} done, {model['spent']:.2f} USD")
    if summary.without_cost:
        note(f"Of {amount(summary.without_cost, 'job')} RunComfy has told no cost; estimates stand for them.")
    if summary.balance_difference is not None:
        note(f"The account has {summary.balance_difference:.2f} USD less than before the first run.")
