"""Types for annotations alone. Type checkers read them; nothing is there when a program runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol, SupportsIndex, TypeVar, overload

    Item = TypeVar("Item", covariant=True)

    class SequenceNotStr(Protocol[Item]):
        """A list, a tuple or another sequence, but not a string, which is a sequence of strings to type checkers.

        ``__contains__`` distinguishes them: that of a string takes strings only.
        """

        @overload
        def __getitem__(self, index: SupportsIndex, /) -> Item: ...
        @overload
        def __getitem__(self, index: slice, /) -> Sequence[Item]: ...
        def __contains__(self, value: object, /) -> bool: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Item]: ...
        def __reversed__(self) -> Iterator[Item]: ...
