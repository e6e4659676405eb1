"""The report of a pull, in three forms: text for a terminal, JSON for a program, Markdown for a pull request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

from runcomfy_client.schema.messages import amount

from ..diagnostics.diagnostic import visible
from ..rendering.markdown import code, table, text
from .summary import summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..comparing.schemas import Change
    from ..reading.source import Json
    from .pulling import ListingChange, ModelPull, PullPlan

Form = Literal["text", "json", "markdown"]
_REMOVED = "Jobs for it are refused. Its folder is kept until you delete it."
_REFUSED = "The generator refuses it until this is cured."


def as_text(planned: PullPlan, dry_run: bool) -> str:
    """A line a change; models without one share a line."""
    return "".join(f"{line}\n" for line in _lines(planned, dry_run))


def _lines(planned: PullPlan, dry_run: bool) -> Iterator[str]:
    for model in planned.models:
        if model.status == "unchanged" and not model.listing_changes:
            continue
        yield f"{model.status:<10}{model.model_id}{_about(model)}"
        for change in model.changes:
            yield f"  {visible(str(change))}"
        for fact in model.listing_changes:
            yield f"  {visible(_listing_line(fact))}"
        if model.replaced:
            yield "  input.json could not be read and is replaced"
        for diagnostic in model.diagnostics:
            yield f"  {diagnostic.code} {visible(diagnostic.message)}"
    for model_id in planned.gone:
        yield f"gone      {model_id}  no longer in the catalog; its folder is kept"
    counts = _counts(planned)
    if counts["unchanged"]:
        yield f"unchanged {amount(counts['unchanged'], 'model')}"
    yield (
        f"{amount(len(planned.models), 'model')}: {counts['added']} added, {counts['changed']} changed "
        f"({counts['breaking']} breaking), {counts['reworded'] + counts['unchanged']} with the same facts; "
        f"{amount(len(planned.writes), 'file')} " + ("would be written (dry run)" if dry_run else "written")
    )


def as_json(planned: PullPlan, dry_run: bool) -> str:
    """One object; models without a change are counted, not listed."""
    report: dict[str, Json] = {
        "breaking": planned.breaking,
        "dry_run": dry_run,
        "files": len(planned.writes),
        "counts": dict(_counts(planned)),
        "models": [
            _model_json(model) for model in planned.models if model.status != "unchanged" or model.listing_changes
        ],
        "removed": [*planned.gone],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _model_json(model: ModelPull) -> Json:
    return {
        "model_id": model.model_id,
        "status": model.status,
        "breaking": model.breaking,
        "changes": [
            {
                "property": change.place,
                "pointer": change.pointer,
                "change": change.text,
                "breaking": change.breaking,
                "meaning": change.meaning,
            }
            for change in model.changes
        ],
        "facts": [{"name": fact.name, "before": fact.before, "after": fact.after} for fact in model.listing_changes],
        "faults": [
            {"code": diagnostic.code, "message": diagnostic.message, "help": diagnostic.help}
            for diagnostic in model.diagnostics
        ],
    }


def as_markdown(planned: PullPlan, dry_run: bool) -> str:
    """A summary for a pull request: what may break first, each change with what it means for callers."""
    counts = _counts(planned)
    parts = ["## Models", ", ".join(_headline(planned, counts)) + "."]
    breaking = [_row(model, change) for model in planned.models for change in model.changes if change.breaking]
    breaking += [
        [text(model.model_id), "", text(f"{diagnostic.code} {diagnostic.message}"), _REFUSED]
        for model in planned.models
        for diagnostic in model.diagnostics
        if diagnostic.severity == "error"
    ]
    compatible = [_row(model, change) for model in planned.models for change in model.changes if not change.breaking]
    compatible += [
        [text(model.model_id), "", text(f"{fact.name}: {_value_text(fact.before)} -> {_value_text(fact.after)}"), ""]
        for model in planned.models
        for fact in model.listing_changes
        if fact not in model.prices
    ]
    header = ["Model", "Property", "Change", "For callers"]
    for title, rows in (("Breaking", breaking), ("Compatible", compatible)):
        if rows:
            parts += [f"### {title}", table(header, rows)]
    if planned.gone:
        parts += [
            "### Removed upstream",
            table(["Model", "For callers"], [[text(model_id), _REMOVED] for model_id in planned.gone]),
        ]
    if added := [model for model in planned.models if model.status == "added"]:
        parts += [
            "### Added",
            table(["Model", "Input"], [[text(model.model_id), text(summarize(model.schema))] for model in added]),
        ]
    prices = [[text(model.model_id), *_price(fact)] for model in planned.models for fact in model.prices]
    if prices:
        parts += ["### Prices", table(["Model", "Fact", "Before", "Now"], prices)]
    if dry_run:
        parts.append("Nothing was written (dry run).")
    return "\n\n".join(parts) + "\n"


def _headline(planned: PullPlan, counts: Mapping[str, int]) -> list[str]:
    priced = sum(bool(model.prices) for model in planned.models)
    named = (
        (counts["added"], "added"),
        (len(planned.gone), "removed upstream"),
        (counts["breaking"], "with breaking changes"),
        (counts["changed"] - counts["breaking"], "with compatible changes"),
        (priced, "with another price"),
        (counts["reworded"], "with other texts only"),
        (counts["unchanged"], "unchanged"),
    )
    return [f"{number} {words}" for number, words in named if number] or ["No model was asked for"]


def _row(model: ModelPull, change: Change) -> list[str]:
    return [text(model.model_id), code(change.place) if change.place else "", text(change.text), text(change.meaning)]


def _price(fact: ListingChange) -> list[str]:
    return [code(fact.name), text(_value_text(fact.before)), text(_value_text(fact.after))]


def _counts(planned: PullPlan) -> dict[str, int]:
    statuses = [model.status for model in planned.models]
    return {
        "added": statuses.count("added"),
        "changed": statuses.count("changed"),
        "breaking": sum(model.breaking for model in planned.models),
        "reworded": statuses.count("reworded"),
        "unchanged": sum(model.status == "unchanged" and not model.listing_changes for model in planned.models),
        "removed": len(planned.gone),
    }


def _about(model: ModelPull) -> str:
    if model.status == "added":
        return f"  {summarize(model.schema)}"
    if model.status == "changed":
        return "  breaking" if model.breaking else "  compatible"
    return ""


def _listing_line(fact: ListingChange) -> str:
    return f"{fact.name}: {_value_text(fact.before)} -> {_value_text(fact.after)}"


def _value_text(value: Json) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)[:60]


FORMS: Final[Mapping[Form, Callable[[PullPlan, bool], str]]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
}
