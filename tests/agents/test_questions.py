"""Questions to a person: none in vain, and one that nobody answers does not block its job key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp_types import InputRequiredResult
from runcomfy import AsyncResultStore, AsyncRunComfy
from runcomfy._index import PACKAGE
from runcomfy_mcp import questions
from runcomfy_mcp.files import LocalFiles
from runcomfy_mcp.jobs import Jobs
from runcomfy_mcp.models import Models
from runcomfy_mcp.resources import Resources
from runcomfy_mcp.server import Server
from runcomfy_mcp.settings import Settings
from runcomfy_mcp.tools import Tools
from runcomfy_simulator import Simulator

from tests.support.agents import MODEL, NEW, TOKEN, yes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mcp_types import CallToolResult


Scene = Callable[[Client], Awaitable[None]]
ARGUMENTS = {"model_id": MODEL, "input": {"prompt": "a cat"}, "job_key": "k"}


class Person:
    """Says yes, and counts the questions."""

    asked = 0

    async def __call__(self, context: Any, params: Any) -> Any:
        self.asked += 1
        return yes()


def play(scene: Scene, sim: Simulator, folder: Path, person: Person, token: str = TOKEN, **bounds: Any) -> None:
    """Run a scene with a host and a server in this process."""
    settings = Settings(spend="ask", results=folder, **{"max_cost": None, "max_jobs": None, **bounds})

    async def run() -> None:
        async with AsyncRunComfy(token, sim.url, journal=folder / "journal.sqlite3") as client:
            store = AsyncResultStore(folder)
            models, jobs = Models(PACKAGE, client), Jobs(client, store)
            server = Server(Tools(settings, PACKAGE, client, models, jobs, LocalFiles(())), Resources(models, store))
            try:
                async with Client(server, mode=NEW, elicitation_callback=person) as host:
                    await scene(host)
            finally:
                await jobs.close()

    asyncio.run(run())


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(queue_seconds=0.0, run_seconds=0.05, token=TOKEN) as simulator:
        yield simulator


def code_of(result: CallToolResult) -> str:
    assert result.is_error
    return str((result.structured_content or {})["error"]["code"])


def test_a_question_that_is_never_answered_is_asked_again_after_a_while(
    sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "LONGEST_WAIT", 0.2)
    monkeypatch.setattr(questions, "_OPEN_SECONDS", 0.3)
    reports: list[str | None] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        reports.append(message)

    async def scene(host: Client) -> None:
        # The host gets the question, and forgets it.
        first = await host.session.call_tool("submit_job", ARGUMENTS, allow_input_required=True)
        assert isinstance(first, InputRequiredResult)
        assert code_of(await host.call_tool("submit_job", ARGUMENTS, progress_callback=note)) == "being_asked"
        assert reports
        await asyncio.sleep(0.2)
        again = await host.call_tool("submit_job", ARGUMENTS)
        assert not again.is_error, again.content

    before = sim.accepted
    play(scene, sim, tmp_path, Person())
    assert sim.accepted == before + 1


@pytest.mark.parametrize(
    ("token", "bounds", "code"),
    [
        ("another", {}, "authentication"),
        (TOKEN, {"max_jobs": 0}, "budget_exceeded"),
        (TOKEN, {"max_cost": 0.01}, "budget_exceeded"),
    ],
)
def test_nobody_is_asked_for_a_job_that_cannot_be_started(
    sim: Simulator, tmp_path: Path, token: str, bounds: dict[str, Any], code: str
) -> None:
    person, before = Person(), sim.accepted

    async def scene(host: Client) -> None:
        assert code_of(await host.call_tool("submit_job", ARGUMENTS)) == code

    play(scene, sim, tmp_path, person, token, **bounds)
    assert (person.asked, sim.accepted) == (0, before)
