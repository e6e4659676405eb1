"""What the shell offers on TAB: model ids, the inputs of the model at hand and their values, pending request ids."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..describe.parameters import parameters
from .package import package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cyclopts.completion import CompletionContext


def complete_model(context: CompletionContext) -> list[str]:
    return package().model_ids()


def complete_request(context: CompletionContext) -> list[tuple[str, str]]:
    """The jobs of the journal that were not seen to end."""
    from .open_client import open_journal

    with open_journal(None) as journal:
        return [(entry.request_id, entry.model_id) for entry in journal.pending() if entry.request_id]


def complete_unsure(context: CompletionContext) -> list[tuple[str, str]]:
    """The submits nobody knows the fate of, by their job key if they have one."""
    from .open_client import open_journal

    with open_journal(None) as journal:
        unsure = [entry for entry in journal.pending() if entry.state == "unsure"]
    return [(entry.job_key or entry.submission_id, entry.model_id) for entry in unsure]


def complete_file(context: CompletionContext) -> list[str]:
    return list(_paths(context.incomplete))


def complete_input(context: CompletionContext) -> list[tuple[str, str]]:
    """``key=`` while there is no "=", then the values that key can have."""
    model_id = context["model"].raw
    spec = package().spec(model_id) if model_id else None
    if spec is None:
        return []
    key, equals, text = context.incomplete.partition("=")
    known = parameters(spec)
    if not equals:
        return [(f"{one.name}=", f"{one.type}{', required' if one.required else ''}") for one in known]
    for one in known:
        if key in (one.name, one.wire_name):
            if text.startswith("@"):
                return [(f"{key}=@{path}", "") for path in _paths(text[1:])]
            values = one.choices or ((True, False) if one.type == "boolean" else ())
            return [(f"{key}={_word(value)}", "") for value in values]
    return []


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _paths(begun: str) -> Iterator[str]:
    folder, slash, start = begun.rpartition("/")
    try:
        found = sorted(Path(folder + slash or ".").expanduser().iterdir())
    except OSError:
        return
    for path in found:
        if path.name.startswith(start) and (start.startswith(".") or not path.name.startswith(".")):
            yield f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}"
