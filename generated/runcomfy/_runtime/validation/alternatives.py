"""Alternatives: any of several, exactly one, or all of them; if none fits, the nearest one's faults are told."""

from __future__ import annotations

from .media_node import Media
from .nodes import Node, Null
from .report import Problem, raised
from .words import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .report import Finding

__all__ = ["AllOf", "AnyOf", "OneOf"]


class _Alternatives(Node):
    """What OneOf and AnyOf share: how to tell people that nothing fits."""

    __slots__ = ("nodes",)

    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes

    @property
    def expected(self) -> str:  # type: ignore[override]  # told by the alternatives here
        return " or ".join(dict.fromkeys([node.expected for node in self.nodes]))

    def _none_fits(self, value: object, parts: list[list[Finding] | None]) -> list[Finding]:
        # Where the type leaves only one alternative, its faults say more than "nothing fits".
        near = [part for part in parts if part is not None and not _other_type(part)]
        if len(near) == 1:
            return near[0]
        real = [
            part for node, part in zip(self.nodes, parts, strict=True) if part is not None and type(node) is not Null
        ]
        if value is not None and len(real) == 1:
            return real[0]
        return [Problem("any_of", f"expected {self.expected}, got {shown(value)}", shown(value))]


class AnyOf(_Alternatives):
    """A value that fits at least one of the alternatives."""

    __slots__ = ()

    def judge(self, value: object) -> list[Finding] | None:
        parts: list[list[Finding] | None] = []
        for node in self.nodes:
            part = node.judge(value)
            if part is None:
                return None
            parts.append(part)
        for part in parts:
            if part is not None and not raised(part):
                return part
        return self._none_fits(value, parts)


class OneOf(_Alternatives):
    """A value that fits exactly one of the alternatives."""

    __slots__ = ()

    def judge(self, value: object) -> list[Finding] | None:
        parts = [node.judge(value) for node in self.nodes]
        fitting = [part for part in parts if part is None or not raised(part)]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            return self._none_fits(value, parts)
        message = f"fits {len(fitting)} of the alternatives ({self.expected}); exactly one must fit"
        return [Problem("one_of", message, shown(value))]


class AllOf(Node):
    """A value that fits every one of the nodes."""

    __slots__ = ("_media", "nodes")

    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes
        self._media = next((node for node in nodes if isinstance(node, Media)), None)

    @property
    def expected(self) -> str:  # type: ignore[override]  # told by the parts here
        return self.nodes[0].expected if self.nodes else "a value"

    def judge(self, value: object) -> list[Finding] | None:
        if self._media is not None and not isinstance(value, str):
            # Local media become a string that no one wrote, so what is said of strings is not meant for them.
            return self._media.judge(value)
        found: list[Finding] = []
        for node in self.nodes:
            found += node.judge(value) or ()
        return found or None


def _other_type(part: list[Finding]) -> bool:
    return any(finding.code == "type" and not finding.keys for finding in part)
