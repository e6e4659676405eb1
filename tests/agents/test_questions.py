"""A question of the newer protocol that nobody answers must not block its job key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

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
    from pathlib import Path

    import pytest


def test_a_question_that_is_never_answered_is_asked_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "LONGEST_WAIT", 0.2)
    monkeypatch.setattr(questions, "_OPEN_SECONDS", 0.3)
    settings = Settings(spend="ask", max_cost=None, max_jobs=None, results=tmp_path)
    arguments = {"model_id": MODEL, "input": {"prompt": "a cat"}, "job_key": "k"}
    reports: list[str | None] = []

    async def answer(context: Any, params: Any) -> Any:
        return yes()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        reports.append(message)

    async def work(client: AsyncRunComfy, jobs: Jobs) -> None:
        models, store = Models(PACKAGE, client), AsyncResultStore(tmp_path)
        tools = Tools(settings, PACKAGE, client, models, jobs, LocalFiles(()))
        async with Client(Server(tools, Resources(models, store)), mode=NEW, elicitation_callback=answer) as host:
            # The host gets the question, and forgets it.
            first = await host.session.call_tool("submit_job", arguments, allow_input_required=True)
            assert isinstance(first, InputRequiredResult)
            other = await host.call_tool("submit_job", arguments, progress_callback=note)
            assert other.structured_content is not None
            assert other.structured_content["error"]["code"] == "being_asked"
            assert reports
            await asyncio.sleep(0.2)
            again = await host.call_tool("submit_job", arguments)
            assert not again.is_error, again.content

    async def run(sim: Simulator) -> None:
        async with AsyncRunComfy(TOKEN, sim.url, journal=tmp_path / "journal.sqlite3") as client:
            jobs = Jobs(client, AsyncResultStore(tmp_path))
            try:
                await work(client, jobs)
            finally:
                await jobs.close()

    with Simulator(queue_seconds=0.0, run_seconds=0.05) as sim:
        asyncio.run(run(sim))
        assert sim.accepted == 1
