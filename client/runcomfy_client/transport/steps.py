"""What a rule may ask of a driver: every step is a frozen value and has one kind of answer.

The values are named tuples because a process that submits one job makes these classes too, and dataclasses take long.
A rule is a generator that yields steps and is sent their answers. The functions at the end give each answer its type.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

REPLY_LIMIT = 8 * 1024 * 1024


class Body(Protocol):
    """A request body that can be read more than once; its length is known before it is read."""

    @property
    def length(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


class Request(NamedTuple):
    """One HTTP request.

    ``timeout`` is in seconds and covers all of it from the moment a connection is free for it; ``patience`` covers the
    wait for that moment too.
    ``authorised``: send the token along. ``once``: must not be sent on a connection that stood idle for long, since the
    server may have given that up, and nobody could tell whether it still read the request.
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
    """A reply, wholly read. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""


class TransportFailure(Exception):
    """The driver could not bring a reply. ``nothing_sent``: surely no byte of the request reached the server."""

    def __init__(self, reason: str, *, nothing_sent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.nothing_sent = nothing_sent


class Interrupted(BaseException):
    """Ctrl-C or task cancellation met a step. The driver raises ``original`` when the rule is done with it."""

    def __init__(self, original: BaseException) -> None:
        super().__init__(repr(original))
        self.original = original


class Send(NamedTuple):
    """Answer: Reply, or TransportFailure is raised."""

    request: Request


class Open(NamedTuple):
    """Answer: Reply without content, whose ``stream`` Read and Close take; or TransportFailure is raised."""

    request: Request


class Stream(NamedTuple):
    """An open reply. ``handle`` is the driver's own."""

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
    """Work that goes on elsewhere. Answer: what it returned. An interruption ends the waiting, and not the work.

    After ``timeout`` seconds TimeoutError is raised.
    """

    future: Future[object]
    timeout: float | None = None


class Shield(NamedTuple):
    """Carry out a whole rule that Ctrl-C and cancellation must not cut. Answer: what it returned.

    On an interruption the driver lets the rule go on for up to ``linger`` seconds before it raises Interrupted here.
    """

    rule: Operation[object]
    grace: float


class Gather(NamedTuple):
    """Carry out rules, at once where the driver can. Answer: their values, in order; the first error is raised."""

    rules: tuple[Operation[object], ...]


Step: TypeAlias = Send | Open | Read | Close | Sleep | Notify | Run | Await | Shield | Gather
Operation: TypeAlias = Generator[Step, object, T]


class Progress(Generic[T]):
    """Where a rule stands: the step it waits for, or the value it ended with."""

    def __init__(self, rule: Operation[T]) -> None:
        self._rule = rule
        self._ended: list[T] = []
        self.step: Step | None = None
        self._advance(lambda: next(rule))

    @property
    def value(self) -> T:
        return self._ended[0]

    def answer(self, answer: object) -> None:
        self._advance(lambda: self._rule.send(answer))

    def fail(self, error: BaseException) -> None:
        self._advance(lambda: self._rule.throw(error))

    def close(self) -> None:
        self._rule.close()

    def _advance(self, move: Callable[[], Step]) -> None:
        try:
            self.step = move()
        except StopIteration as end:
            self.step = None
            self._ended.append(end.value)
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
    box: list[T] = []
    yield Run(lambda: box.append(work()))
    return box[0]


def shield(rule: Operation[T], grace: float) -> Operation[T]:
    box: list[T] = []
    yield Shield(_into(rule, box), grace)
    return box[0]


def gather(rules: list[Operation[T]]) -> Operation[list[T]]:
    boxes: list[list[T]] = [[] for _ in rules]
    yield Gather(tuple(_into(rule, box) for rule, box in zip(rules, boxes, strict=True)))
    return [box[0] for box in boxes]


def _into(rule: Operation[T], box: list[T]) -> Operation[None]:
    box.append((yield from rule))
