"""YAML 1.2 payloads: `16:9` and `no` are texts. Values are read off the nodes, which know their places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ..schema.containers import MAX_DEPTH, MISSING
from ..schema.findings import ErrorFinding
from ..schema.json_payload import SyntaxFinding
from ..schema.messages import brief

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..schema import Finding

    Node = Any  # ruamel.yaml's nodes have no types

# More values than any payload holds: aliases can make a few lines mean billions.
_MOST_VALUES = 100_000


def read_yaml(text: str) -> Iterator[tuple[object, list[Finding], Node]]:
    """The value, the findings and the node of each document; a text that cannot be read is one SyntaxFinding.

    The value is MISSING, and the node None, where there is nothing to check.
    """
    nodes: list[Node] = []
    try:
        nodes += [node for node in YAML(typ="safe", pure=True).compose_all(text) if node is not None]
    except MarkedYAMLError as error:
        message, mark = _diagnosis(error)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        yield _broken(message, line, column)
        return
    except (YAMLError, ValueError, RecursionError) as error:
        yield _broken(str(error).partition("\n")[0], 1, 1)
        return
    if not nodes:
        yield _broken("it is empty", 1, 1)
    for node in nodes:
        findings: list[Finding] = []
        try:
            value = _Reader(findings).value(node, ())
        except _UnfitError as error:
            yield _broken(str(error), error.line, error.column)
        else:
            yield value, findings, node


def _diagnosis(error: MarkedYAMLError) -> tuple[str, Any]:
    """What the mistake is, and the mark of its place; the parser itself speaks of its tokens."""
    problem = str(error.problem or error.context or "cannot be read")
    mark = error.problem_mark or error.context_mark
    if error.context_mark is not None and ("<stream end>" in problem or "end of stream" in problem):
        start = next(
            (words for sign, words in _UNCLOSED.items() if sign in problem), "the text is not closed; add its quote"
        )
        return f"{start} (it begins here, and the file ends before it does)", error.context_mark
    if "'\\t'" in problem:
        return "a tab stands here; indent with spaces", mark
    if "<block end>" in problem:
        return (
            "this line does not stand as far to the right as those it belongs to, or a comma or quote is missing",
            mark,
        )
    if "could not find expected ':'" in problem:
        return "a key is followed by a colon and a space, which are missing here", error.context_mark or mark
    return problem, mark


_UNCLOSED = {"']'": "the list is not closed; add ]", "'}'": "the object is not closed; add }"}


def _broken(message: str, line: int, column: int) -> tuple[object, list[Finding], Node]:
    return MISSING, [SyntaxFinding(message, line, column, language="YAML")], None


class _UnfitError(Exception):
    """What cannot be a payload, and where."""

    def __init__(self, message: str, node: Node) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1
        self.column = node.start_mark.column + 1


class _Reader:
    """Turns the nodes of one document into the values that JSON has; duplicate keys become findings."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self._count = 0

    def value(self, node: Node, keys: tuple[str | int, ...]) -> object:
        self._count += 1
        if self._count > _MOST_VALUES or len(keys) > MAX_DEPTH + 1:
            raise _UnfitError("its aliases mean too many values, or it is nested too deeply", node)
        if node.id == "sequence":
            return [self.value(item, (*keys, index)) for index, item in enumerate(node.value)]
        if node.id == "mapping":
            return self._mapping(node, keys)
        return _scalar(node)

    def _mapping(self, node: Node, keys: tuple[str | int, ...]) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                raise _UnfitError("a key is a text", key_node)
            key = key_node.value
            value = self.value(value_node, (*keys, key))
            if key == "<<":
                for part in value if isinstance(value, list) else [value]:
                    merged = {**part, **merged} if isinstance(part, dict) else merged
                continue
            if key in own:
                message = f"the key {brief(key)} stands here more than once"
                self._findings.append(ErrorFinding("duplicate_key", message, keys=(*keys, key)))
            own[key] = value
        return {**merged, **own}


_NUMBERS = {
    "tag:yaml.org,2002:int": re.compile(r"[-+]?[0-9]+"),
    "tag:yaml.org,2002:float": re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
}
_SPECIAL_FLOATS = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}


def _scalar(node: Node) -> object:
    """A scalar by YAML's core schema; dates and all else that it does not know are texts."""
    text: str = node.value
    tag = str(node.tag)
    if tag == "tag:yaml.org,2002:null":
        return None
    if tag == "tag:yaml.org,2002:bool":
        return text.lower() == "true"
    if tag == "tag:yaml.org,2002:int":
        if text[:2] in ("0x", "0o"):
            return int(text, 0)
        if _NUMBERS[tag].fullmatch(text):
            return int(text) if len(text) < 400 else float(text)
        return text
    if tag == "tag:yaml.org,2002:float":
        if text.lower() in _SPECIAL_FLOATS:
            return _SPECIAL_FLOATS[text.lower()]
        return float(text) if _NUMBERS[tag].fullmatch(text) else text
    if tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge"):
        return text
    raise _UnfitError(f"the tag {brief(tag)} means nothing in a payload", node)


def place_in_yaml(node: Node, keys: list[str]) -> tuple[int, int]:
    """Line and column of the value at ``keys`` (of its key, in a mapping), or of the nearest parent that is there."""
    mark = node.start_mark
    for key in keys:
        if node.id == "mapping":
            pairs = [(name, value) for name, value in node.value if name.value == key]
            if not pairs:
                break
            mark, node = pairs[-1][0].start_mark, pairs[-1][1]
        elif node.id == "sequence" and key.isdecimal() and int(key) < len(node.value):
            node = node.value[int(key)]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1
