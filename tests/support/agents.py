"""An MCP server of ours in a process of its own, and a client that speaks to it over stdio, in either era."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import ElicitResult

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from mcp_types import CallToolResult, ElicitRequestParams
    from runcomfy_simulator import Simulator

OLD, NEW = "legacy", "2026-07-28"
ERAS = (OLD, NEW)
TOKEN = "secret-token-4711"
MODEL = "bytedance/dreamina-4-0/text-to-image"

Answer = Any  # what a test lets the person answer: an ElicitResult, or an error to raise


def yes() -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": True})


class Host:
    """A host that runs one server: what Claude or an editor would be.

    ``person`` is called with each question and gives the answer; without one the client cannot ask. ``questions`` are
    those that were asked, ``messages`` the results of tools, as JSON.
    """

    def __init__(
        self,
        simulator: Simulator | None,
        folder: Path,
        *words: str,
        era: str = NEW,
        person: Callable[[], ElicitResult] | None = yes,
        env: dict[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.era = era
        self.person = person
        self.questions: list[str] = []
        self.messages: list[str] = []
        self.pid_file = folder / "pid"
        self.errors = folder / "stderr"
        words = (*words, "--journal", str(folder / "journal.sqlite3"), "--results", str(folder / "results"))
        code = f"import os; open({str(self.pid_file)!r}, 'w').write(str(os.getpid())); " + (
            "from runcomfy_client.cli.console import main; raise SystemExit(main())"
        )
        variables = {"HOME": str(folder), "XDG_STATE_HOME": str(folder), "COVERAGE_PROCESS_START": ""}
        if simulator is not None:
            variables |= {"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_BASE_URL": simulator.url}
        self._parameters = StdioServerParameters(
            command=sys.executable, args=["-c", code, "mcp", *words], env={**variables, **(env or {})}
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._ready: Future[None] = Future()
        self._session: Future[None] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._session = asyncio.run_coroutine_threadsafe(self._live(), self._loop)
        self._session.add_done_callback(self._ended_early)
        self._ready.result(60)
        return self

    def _ended_early(self, session: Future[None]) -> None:
        if not self._ready.done():
            self._ready.set_exception(session.exception() or RuntimeError("the session ended"))

    def __exit__(self, *_: object) -> None:
        assert self._session is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._session.result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _live(self) -> None:
        self._stop = asyncio.Event()
        callback: Any = self._ask if self.person is not None else None
        async with AsyncExitStack() as stack:
            errors = stack.enter_context(self.errors.open("a", encoding="utf-8"))
            transport = stdio_client(self._parameters, errlog=errors)
            self.client = await stack.enter_async_context(
                Client(transport, mode=self.era, elicitation_callback=callback)
            )
            self._ready.set_result(None)
            await self._stop.wait()

    async def _ask(self, _: object, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        assert self.person is not None
        return await asyncio.to_thread(self.person)

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    def kill(self) -> None:
        os.kill(self.pid, 9)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(120)

    def begin(self, tool: str, **arguments: Any) -> Future[CallToolResult]:
        """Call a tool, and go on."""
        call = asyncio.run_coroutine_threadsafe(self.client.call_tool(tool, arguments), self._loop)
        call.add_done_callback(self._note)
        return call

    def _note(self, ended: Future[CallToolResult]) -> None:
        if not ended.cancelled() and ended.exception() is None:
            self.messages.append(ended.result().model_dump_json())

    def call(self, tool: str, **arguments: Any) -> CallToolResult:
        return self.begin(tool, **arguments).result(120)

    def facts(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured content of a call that succeeds."""
        result = self.call(tool, **arguments)
        assert not result.is_error, result.content
        return dict(result.structured_content or {})

    def refusal(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The error of a call that does not."""
        result = self.call(tool, **arguments)
        assert result.is_error, result.content
        return dict((result.structured_content or {})["error"])

    def submit(self, job_key: str, prompt: str = "a cat") -> CallToolResult:
        return self.call("submit_job", model_id=MODEL, input={"prompt": prompt}, job_key=job_key)
