"""From pages to changes of the schema store: one plan for all pages of a call, or all the reasons against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..comparing.schemas import differences
from ..diagnostics.diagnostic import display
from ..paths import builtin_schemas
from ..reading import store
from ..reading.source import read_document
from .language import is_english
from .writing import Write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..comparing.schemas import Change, Role
    from ..diagnostics.diagnostic import Diagnostic
    from ..reading.source import Json
    from .page import Page, PageObject
    from .text import PageText

Status = Literal["new", "replaced", "unchanged", "kept", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """What happens to one file. `note` says why where the status alone does not explain it."""

    path: Path
    status: Status
    note: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """What the pages say about one model, and what happens to its files."""

    model_id: store.ModelId
    pages: tuple[str, ...]
    input: dict[str, Json]
    output: dict[str, Json] | None
    example: dict[str, Json] | None
    output_is_common: bool
    files: tuple[FilePlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    models: tuple[ModelPlan, ...]
    common: tuple[FilePlan, ...]
    writes: tuple[Write, ...]


def plan(pages: Sequence[Page], schemas: Path, *, replace: bool) -> tuple[ImportPlan, tuple[Diagnostic, ...]]:
    """Group pages by model and compare each with the store. A plan with errors must not be carried out."""
    diagnostics: list[Diagnostic] = []
    writes: list[Write] = []
    common_path = schemas / store.OUTPUT
    has_common = common_path.is_file()
    common = _read(common_path if has_common else builtin_schemas() / store.OUTPUT, diagnostics)
    models = []
    for model_id in dict.fromkeys(page.model_id for page in pages):
        about = [page for page in pages if page.model_id == model_id]
        models.append(_Planner(about, schemas, common, replace, diagnostics, writes).plan())
    common_files: tuple[FilePlan, ...] = ()
    if not has_common and common is not None:
        # A store without one gets the output that every page prints.
        writes.append(Write(common_path, (common,)))
        common_files = (FilePlan(path=common_path, status="new", note="the output that every page prints"),)
    return ImportPlan(models=tuple(models), common=common_files, writes=tuple(writes)), tuple(diagnostics)


class _Planner:
    """Plans one model; its diagnostics and writes go to the lists that are passed in."""

    def __init__(
        self,
        pages: list[Page],
        schemas: Path,
        common: Json,
        replace: bool,
        diagnostics: list[Diagnostic],
        writes: list[Write],
    ) -> None:
        self._pages = pages
        self._folder = store.model_folder(schemas, pages[0].model_id)
        self._common = common
        self._replace = replace
        self._diagnostics = diagnostics
        self._writes = writes

    def plan(self) -> ModelPlan:
        first = self._pages[0]
        schema = self._agreed_schema([(page.text, page.input) for page in self._pages], "input") or first.input.value
        output = self._agreed_schema([(page.text, page.output) for page in self._pages if page.output], "output")
        example = next((page.example for page in self._pages if page.example is not None), None)
        is_common = output is not None and self._common is not None and not differences(self._common, output, "output")
        is_known = self._folder.file(store.INPUT) is not None
        files = [self._schema_file(store.INPUT, schema, "input")]
        if output is not None:
            files += self._output_file(output, is_common, is_known)
        if example is not None:
            files.append(self._example_file(example))
        return ModelPlan(
            model_id=first.model_id,
            pages=tuple(page.text.name for page in self._pages),
            input=schema,
            output=output,
            example=example,
            output_is_common=is_common,
            files=tuple(files),
        )

    def _agreed_schema(self, pages: Sequence[tuple[PageText, PageObject]], role: Role) -> dict[str, Json] | None:
        """The schema of the pages: the first English one, else the first. All must have the same facts."""
        if not pages:
            return None
        first_text, first = pages[0]
        for text, other in pages[1:]:
            if changes := differences(first.value, other.value, role):
                message = f"this page's {role} schema of {self._folder.model_id} is not that of {first_text.name}"
                help = (
                    _list_changes(changes, "from that page to this") + "\nOne of the two pages is older. Leave it out."
                )
                self._diagnostics.append(text.diagnostic("E078", message, other.at, other.at + 1, help))
        return next((page.value for _, page in pages if is_english(page.value)), first.value)

    def _schema_file(self, name: str, schema: dict[str, Json], role: Role) -> FilePlan:
        path = self._folder.path / name
        if not path.is_file():
            self._writes.append(Write(path, (schema,)))
            return FilePlan(path=path, status="new")
        before = self._existing(path)
        if before is None:
            return self._plan_replacement(path, schema)
        if changes := differences(before, schema, role):
            return self._plan_change(path, schema, changes, role)
        if is_english(schema) and not is_english(before):
            return self._plan_replacement(path, schema, note="the same facts, now in English")
        return FilePlan(path=path, status="unchanged")

    def _output_file(self, output: dict[str, Json], is_common: bool, is_known: bool) -> list[FilePlan]:
        path = self._folder.path / store.OUTPUT
        if not is_common:
            if is_known and not path.is_file() and self._common is not None:
                # Until now the model had the common output.
                return [self._plan_change(path, output, differences(self._common, output, "output"), "output")]
            return [self._schema_file(store.OUTPUT, output, "output")]
        if not path.is_file():
            return []
        before = self._existing(path)
        changes = () if before is None else differences(before, output, "output")
        return [self._plan_change(path, None, changes, "output")] if changes else []

    def _example_file(self, example: dict[str, Json]) -> FilePlan:
        path = self._folder.path / store.EXAMPLE
        if not path.is_file():
            self._writes.append(Write(path, (example,)))
            return FilePlan(path=path, status="new")
        document, _ = read_document(path)
        if document is not None and document.value == example:
            return FilePlan(path=path, status="unchanged")
        if self._replace:
            return self._plan_replacement(path, example)
        return FilePlan(path=path, status="kept", note="the page's example differs; --replace takes it")

    def _plan_change(
        self, path: Path, schema: dict[str, Json] | None, changes: tuple[Change, ...], role: Role
    ) -> FilePlan:
        if self._replace:
            return self._plan_replacement(path, schema, changes=changes)
        text, printed = next(
            (page.text, page_object)
            for page in self._pages
            if (page_object := page.input if role == "input" else page.output)
        )
        message = f"the {role} schema is not the one in {display(path)}"
        if not path.is_file():
            message = f"the output schema of {self._folder.model_id} was the common one until now"
        help = (
            _list_changes(changes, "from the store to the page") + "\nIf the page is right, run again with --replace."
        )
        self._diagnostics.append(text.diagnostic("E079", message, printed.at, printed.at + 1, help))
        return FilePlan(path=path, status="kept", changes=changes)

    def _plan_replacement(
        self, path: Path, value: dict[str, Json] | None, note: str = "", changes: tuple[Change, ...] = ()
    ) -> FilePlan:
        status: Status = "removed" if value is None else "replaced" if path.is_file() else "new"
        self._writes.append(Write(path, None if value is None else (value,)))
        return FilePlan(path=path, status=status, note=note, changes=changes)

    def _existing(self, path: Path) -> Json:
        """What the store has; None if it cannot be read, which is an error unless the file is replaced anyway."""
        return _read(path, [] if self._replace else self._diagnostics)


def _read(path: Path, diagnostics: list[Diagnostic]) -> Json:
    document, problems = read_document(path)
    diagnostics.extend(problems)
    return document.value if document else None


def _list_changes(changes: tuple[Change, ...], way: str) -> str:
    return "\n".join([f"what changed, {way}:", *(f"  {change}" for change in changes)])
