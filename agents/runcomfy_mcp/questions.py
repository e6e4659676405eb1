"""One question for one job key, however many calls want to submit under it at once.

The first call under a new key asks the person. The others wait for its outcome: if the job was started they find it in
the journal, and if it was not they give the same answer. A wait is bounded, since a client gives a long call up.

In the older protocol a question is part of its call, and ends with it. In the newer one the call ends with the
question, and another call brings the answer; a client that never brings it must not block the key for ever.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from .answers import Refusal

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context
    from mcp_types import CallToolResult

# Seconds that a call waits at most: many clients give up after 60.
LONGEST_WAIT = 50.0
# Seconds without a call for which a question of the newer protocol keeps others of its key away.
_OPEN_SECONDS = 60.0
_TICK = 1.0


class SameAnswer(Exception):
    """Another call has asked the person, and this is what it answered."""

    def __init__(self, answer: CallToolResult) -> None:
        super().__init__("The person was asked by another call.")
        self.answer = answer


class Question:
    """A question of one call. ``digest`` stands for what is asked, ``call`` is the id of the request that asks."""

    def __init__(self, job_key: str, digest: str, call: object) -> None:
        self.job_key = job_key
        self.digest = digest
        self.call = call
        self.left_at: float | None = None
        # The answer of the call that has asked; None if that call was given up.
        self.outcome: asyncio.Future[CallToolResult | None] = asyncio.get_running_loop().create_future()

    @property
    def abandoned(self) -> bool:
        return self.left_at is not None and time.monotonic() - self.left_at > _OPEN_SECONDS


class Questions:
    """The questions that people have before them, one for a job key."""

    def __init__(self) -> None:
        self._open: dict[str, Question] = {}

    async def begin(self, job_key: str, digest: str, context: Context[Any, Any]) -> None:
        """Make this the one call that may ask about the job key; wait while another one does.

        Raises SameAnswer if that one was about the same input and has started no job, Refusal if it takes long.
        """
        call = context.request_id
        begun = time.monotonic()
        while (other := self._open.get(job_key)) is not None and not other.abandoned:
            if context.request_state is not None and other.digest == digest:  # it brings the answer
                other.call, other.left_at = call, None
                return
            waited = time.monotonic() - begun
            if waited >= LONGEST_WAIT:
                raise _being_asked()
            await asyncio.wait({other.outcome}, timeout=min(_TICK, LONGEST_WAIT - waited))
            if not other.outcome.done():
                message = "waiting: a person is asked about this job_key by another call"
                await context.report_progress(min(time.monotonic() - begun, LONGEST_WAIT), LONGEST_WAIT, message)
                continue
            answer = other.outcome.result()
            if answer is not None and answer.is_error and other.digest == digest:
                raise SameAnswer(answer)
        self._open[job_key] = Question(job_key, digest, call)

    def leave(self, call: object) -> None:
        """The call has ended with its question, which another call will answer."""
        for question in self._of(call):
            question.left_at = time.monotonic()

    def end(self, call: object, answer: CallToolResult | None) -> None:
        """The call has ended, with this answer; None if it was given up."""
        for question in self._of(call):
            question.outcome.set_result(answer)
            if self._open.get(question.job_key) is question:
                del self._open[question.job_key]

    def _of(self, call: object) -> list[Question]:
        return [question for question in self._open.values() if question.call == call]


def _being_asked() -> Refusal:
    return Refusal(
        "being_asked",
        "Another call under this job_key has asked a person, who has not answered yet. Nothing was sent.",
        "Wait for the other call, or call submit_job again with the same arguments; the same key pays once.",
    )
