"""docs/reliability.md says what happens when things go wrong; each row of its tables is made to happen here.

`pytest tests/client --update` writes the tables anew; look at the difference before you commit it.
"""

from __future__ import annotations

import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.journal import Journal

from tests.support.both import Clients
from tests.support.fault_proxy import FaultProxy
from tests.support.faults_table import POLL, SUBMIT, Refusing, Scene, outcome, table
from tests.support.internals import set_constant
from tests.support.tiny_api import COMPLETED, RUNNING, TinyApi

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("sync", "async")
DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
CURE = "If that is meant: pytest tests/client --update"


def submit_row(scene: Scene, clients: Clients, folder: Path) -> tuple[str, ...]:
    """What went wrong | POSTs that arrived | raised | id on it | the journal says."""
    api = TinyApi()
    with FaultProxy(api) as proxy, Refusing() as nowhere:
        if scene.fault is not None:
            proxy.plan("submit", scene.fault)
        path = folder / f"{uuid.uuid4()}.sqlite"  # a port may come again
        client = make(clients, scene, nowhere if scene.fault is None else proxy.url, journal=path, max_retries=2)
        name, value = outcome(lambda: client.submit("any/model", {"prompt": "x"}))
        with Journal(path) as journal:
            (entry,) = journal.entries()
        arrived = proxy.arrived["submit"]
    note = "" if name else f"job {value.request_id}"
    assert arrived <= 1, "a paid POST arrived twice"
    return scene.words, str(arrived), f"`{name}`" if name else note, entry.state


def poll_row(scene: Scene, clients: Clients, folder: Path) -> tuple[str, ...]:
    """What went wrong | once in a wait | for ever in a wait | id on the error."""
    once, _ = polled(scene, clients, repeat=False)
    ever, error = polled(scene, clients, repeat=True)
    return scene.words, once, ever, "yes" if getattr(error, "request_id", "") == "job-1" else "–"


def polled(scene: Scene, clients: Clients, *, repeat: bool) -> tuple[str, Any]:
    api = TinyApi(statuses=[RUNNING, COMPLETED])
    with FaultProxy(api) as proxy, Refusing() as nowhere:
        api.url = proxy.url
        client = make(clients, scene, proxy.url)
        job = client.submit("any/model", {})
        if scene.fault is None:
            if not repeat:
                return "goes on", None
            job = make(clients, scene, nowhere).job(job.request_id)
        elif repeat:
            proxy.always("status", scene.fault)
        else:
            proxy.plan("status", scene.fault)
        name, value = outcome(lambda: job.wait(1.5))
        assert proxy.arrived["submit"] == 1
    return (f"`{name}`", value) if name else ("goes on", None)


def make(clients: Clients, scene: Scene, url: str, **settings: Any) -> Any:
    if scene.follows_redirects:
        settings["http_client"] = clients.http_client(follow_redirects=True)
    return clients(url, **{**settings, **scene.settings})


HEADS = {
    "submit": ("what goes wrong", "POSTs that arrive", "what `submit` does", "in the journal"),
    "poll": ("what goes wrong", "once", "every time", "id on the error"),
}
ROWS: dict[str, tuple[list[Scene], Callable[[Scene, Clients, Path], tuple[str, ...]]]] = {
    "submit": (SUBMIT, submit_row),
    "poll": (POLL, poll_row),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_table_is_what_happens(name: str, request: pytest.FixtureRequest, tmp_path: Path, patient: None) -> None:
    scenes, row = ROWS[name]

    def one(kind: str, scene: Scene) -> tuple[str, ...]:
        clients = Clients(kind)
        try:
            return row(scene, clients, tmp_path)
        finally:
            clients.close()

    with ThreadPoolExecutor(8) as pool:  # most of it is waiting
        in_sync = list(pool.map(partial(one, "sync"), scenes))
        in_async = list(pool.map(partial(one, "async"), scenes))
    assert in_sync == in_async
    text = table(HEADS[name], in_sync)
    document = DOCUMENT.read_text(encoding="utf-8")
    block = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
    assert block.search(document), f"{DOCUMENT} has no place for the table {name!r}"
    wanted = block.sub(lambda match: match[1] + text + match[2], document)
    if request.config.getoption("--update", default=False):
        DOCUMENT.write_text(wanted, encoding="utf-8")
    else:
        assert document == wanted, CURE


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A streak of three misses is the end here, so that what goes wrong for ever does not take that long."""

    set_constant(monkeypatch, "MOST_MISSES", 3)
    set_constant(monkeypatch, "GRACE_AFTER_SUBMIT", 0.5)


def test_setting_the_clock_changes_nothing(
    clients: Clients, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumps = iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: 1.8e9 + next(jumps) % 2 * 86_400)
    seen: list[Any] = []
    assert clients(proxy.url).submit("any/model", {}).wait(5, on_update=seen.append).files
    assert all(0 <= update.elapsed < 5 for update in seen)
