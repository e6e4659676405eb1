"""Operations, and the steps they are made of.

An operation is a rule of the client ("submit once", "wait until the job is over") written as a generator. It does no
input or output. It yields a step - send this request, sleep so long, tell the caller - and is sent the step's answer,
or the step's failure is raised at the `yield`:

    def balance(session):
        reply = yield from send(Request(method="GET", url=..., authorised=True))
        return json.loads(reply.content)

Two drivers carry operations out: `SyncDriver` on httpx.Client in the calling thread, `AsyncDriver` on
httpx.AsyncClient in the running event loop. Both are loops around `Progress`, which holds the step an operation waits
for. So each rule exists once, and cannot differ between the two clients. Operations call each other with `yield from`.

What a driver promises to an operation:

- A `Request` is sent as it stands: no redirect is followed and nothing is repeated. Whether to try again is the
  operation's decision, made from `TransportFailure.nothing_sent`.
- Ctrl-C and task cancellation reach the operation as `Interrupted`, so that one `except` clause serves both clients.
  The operation may go on with a few more steps (one bounded cancel, a row in the journal); when it is done, the driver
  raises the original exception.
- `Shield` holds both back while something runs that must not be cut: between a paid POST and its reply an
  interruption would lose the job's id.

Every step is a named tuple because a process that submits one job makes these classes too, and dataclasses take longer.
The functions at the end give each answer its type.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

T = TypeVar("T")

REPLY_LIMIT = 8 * 1024 * 1024


class Body(Protocol):
    """A request body that can be read more than once; its length is known before it is read."""

    @property
    def length(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


class Request(NamedTuple):
    """One HTTP request.

    timeout: seconds for all of it, from the moment a connection is free for it.
    queue_timeout: seconds for all of it, the wait for a free connection included.
    authorised: send the token along.
    once: a paid request. Its body is given out once, whatever a user's transport tries, and it is not sent on a
        connection that was idle for long: the server may have closed that, and nobody could tell whether it still read
        the request.
    limit: the most bytes of a reply that `Send` reads, after decompression.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Body | None = None
    authorised: bool = False
    once: bool = False
    timeout: float | None = None
    queue_timeout: float | None = None
    limit: int = REPLY_LIMIT


class Reply(NamedTuple):
    """A reply, read to its end. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""


class TransportFailure(Exception):
    """The driver got no reply.

    nothing_sent: surely no byte of the request's body reached the server.
    partial: what arrived of the reply's body before it broke; it may name a job.
    status: the reply's status, if that much of it came.
    unreachable: there is no connection to this address, so nothing may be listening there.
    """

    def __init__(
        self,
        reason: str,
        *,
        nothing_sent: bool = False,
        partial: bytes = b"",
        status: int | None = None,
        unreachable: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.nothing_sent = nothing_sent
        self.partial = partial
        self.status = status
        self.unreachable = unreachable


class Interrupted(BaseException):
    """Ctrl-C or task cancellation met a step. The driver raises ``original`` when the operation has ended."""

    def __init__(self, original: BaseException) -> None:
        super().__init__(repr(original))
        self.original = original


class Send(NamedTuple):
    """Answer: Reply, or TransportFailure is raised."""

    request: Request


class Open(NamedTuple):
    """Answer: Stream, which Read and Close take; or TransportFailure is raised."""

    request: Request


class Stream(NamedTuple):
    """An open reply, without content. ``handle`` is the driver's own."""

    reply: Reply
    handle: object


class Read(NamedTuple):
    """Answer: the next bytes, empty at the end; or TransportFailure is raised."""

    stream: Stream


class Close(NamedTuple):
    """Answer: None. Must follow every Open that was answered."""

    stream: Stream


class Sleep(NamedTuple):
    """Answer: None, after that many seconds."""

    seconds: float


class Notify(NamedTuple):
    """Answer: None, after the caller has seen the update."""

    update: object


class Run(NamedTuple):
    """Blocking work. Answer: what it returned. The async driver does it in a thread."""

    work: Callable[[], object]


class Await(NamedTuple):
    """Work that runs elsewhere. Answer: what it returned. An interruption ends the wait, not the work.

    After ``timeout`` seconds TimeoutError is raised.
    """

    future: Future[Any]
    timeout: float | None = None


class Shield(NamedTuple):
    """Carry out a whole operation that Ctrl-C and cancellation must not cut. Answer: what it returned.

    On an interruption the driver lets the operation continue for up to ``grace`` seconds before it raises Interrupted.
    """

    operation: Operation[object]
    grace: float


class Gather(NamedTuple):
    """Carry out operations, at once where the driver can. Answer: their values in order; the first error is raised."""

    operations: tuple[Operation[object], ...]


Step: TypeAlias = Send | Open | Read | Close | Sleep | Notify | Run | Await | Shield | Gather
Operation: TypeAlias = Generator[Step, object, T]


class Progress(Generic[T]):
    """How far an operation is: the step it waits for, or the value it ended with."""

    def __init__(self, operation: Operation[T]) -> None:
        self._operation = operation
        self._values: list[T] = []
        self.step: Step | None = None
        self.interrupted = False
        self._advance(lambda: next(operation))

    @property
    def value(self) -> T:
        return self._values[0]

    def send(self, answer: object) -> None:
        self._advance(lambda: self._operation.send(answer))

    def throw(self, error: BaseException) -> None:
        self.interrupted = self.interrupted or isinstance(error, Interrupted)
        self._advance(lambda: self._operation.throw(error))

    def close(self) -> None:
        self._operation.close()

    def _advance(self, move: Callable[[], Step]) -> None:
        try:
            self.step = move()
        except StopIteration as end:
            self.step = None
            self._values.append(end.value)
        except Interrupted as stop:
            raise stop.original from None


def send(request: Request) -> Operation[Reply]:
    answer = yield Send(request)
    assert isinstance(answer, Reply)
    return answer


def open_stream(request: Request) -> Operation[Stream]:
    answer = yield Open(request)
    assert isinstance(answer, Stream)
    return answer


def read(stream: Stream) -> Operation[bytes]:
    answer = yield Read(stream)
    assert isinstance(answer, bytes)
    return answer


def run(work: Callable[[], T]) -> Operation[T]:
    values: list[T] = []
    yield Run(lambda: values.append(work()))
    return values[0]


def shield(operation: Operation[T], grace: float) -> Operation[T]:
    values: list[T] = []
    yield Shield(_into(operation, values), grace)
    return values[0]


def gather(operations: list[Operation[T]]) -> Operation[list[T]]:
    values: list[list[T]] = [[] for _ in operations]
    yield Gather(tuple(_into(operation, box) for operation, box in zip(operations, values, strict=True)))
    return [box[0] for box in values]


def _into(operation: Operation[T], values: list[T]) -> Operation[None]:
    values.append((yield from operation))
