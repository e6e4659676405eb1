"""`validate`: reads every payload, checks it, and prints the reports.

CI and editors start a process for each check, so this path loads nothing it does not need: no parser of options for a
plain line (`parse_plain`), no terminal library, no HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UnknownModelError
from ..packages import check_value
from ..schema.containers import MISSING
from ..schema.findings import ErrorFinding, Report, WarningFinding
from ..schema.json_payload import SCHEMA_KEY
from .errors import INVALID_INPUT, NO_FILE, OK, CommandError
from .output import line_writer, write
from .package import package, program
from .payload_files import is_file_name, read_files
from .reports import FORMATS, print_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..schema import Finding, ModelSpec
    from .payload_files import Payload


class Request:
    """What a call of `validate` asks for: its words (MODEL and files), and its options."""

    __slots__ = ("form", "jsonl", "probe", "quiet", "words")

    def __init__(
        self,
        words: tuple[str, ...],
        *,
        form: str = "text",
        jsonl: bool = False,
        probe: bool = False,
        quiet: bool = False,
    ) -> None:
        self.words = words
        self.form = form
        self.jsonl = jsonl
        self.probe = probe
        self.quiet = quiet


def parse_plain(argv: Sequence[str]) -> Request | None:
    """What a plain ``validate [MODEL] FILE... [--json] [--format F] [--jsonl] [--probe] [--quiet]`` asks for, or None.

    None means "not sure", never "wrong": other options, errors and help are the full parser's, so the two cannot
    disagree on what is an error. A test holds them to the same reading of the plain form.
    """
    if len(argv) < 2 or argv[0] != "validate":
        return None
    words: list[str] = []
    form, flags = "text", set()
    rest = iter(argv[1:])
    for word in rest:
        if word == "--json":
            form = "json"
        elif word in ("--jsonl", "--probe", "--quiet", "-q"):
            flags.add(word)
        elif word == "--format":
            form = next(rest, "")
            if form != "text" and form not in FORMATS:
                return None
        elif word.startswith("-") and word != "-":
            return None
        else:
            words.append(word)
    if not words or ("--json" in argv and "--format" in argv):
        return None
    return Request(
        tuple(words),
        form=form,
        jsonl="--jsonl" in flags,
        probe="--probe" in flags,
        quiet=not flags.isdisjoint(("--quiet", "-q")),
    )


def check_files(request: Request) -> int:
    """Check and print; return the exit code: a missing file takes precedence over an invalid one."""
    spec, files = _model_and_files(request.words)
    if files.count("-") > 1:
        raise CommandError("standard input is named twice, but can be read only once")
    checked = _check_payloads(spec, files, request)
    if request.form == "text":
        return print_text(checked, *line_writer(), quiet=request.quiet)
    payloads = list(checked)
    write(FORMATS[request.form](spec.model_id if spec else None, payloads, quiet=request.quiet))
    if any(payload.report is None for payload in payloads):
        return NO_FILE
    return OK if all(payload.ok for payload in payloads) else INVALID_INPUT


def _model_and_files(words: Sequence[str]) -> tuple[ModelSpec | None, tuple[str, ...]]:
    """The model that the first word names, unless that is a file, and the files."""
    first = words[0]
    spec = package().spec(first)
    if spec is None and is_file_name(first):
        return None, tuple(words)
    if len(words) < 2:
        raise CommandError(f"validate needs a payload FILE after {first}, or - for standard input")
    return spec or package().known_spec(first), tuple(words[1:])


def _check_payloads(spec: ModelSpec | None, files: Sequence[str], request: Request) -> Iterator[Payload]:
    first = True
    for payload in read_files(files, jsonl=request.jsonl):
        if payload.problem:
            yield payload
            continue
        if spec is None:
            payload.take_model()
            if first and payload.model is None and payload.line is None and payload.value is not MISSING:
                raise CommandError(
                    f'MODEL is missing: {payload.name} names no model in "{SCHEMA_KEY}"; '
                    f"write {program()} validate MODEL {' '.join(files)}"
                )
        else:
            payload.findings = [*payload.findings, *other_model(spec.model_id, payload.value)]
            payload.drop_schema()
        first = False
        payload.report = _report(spec, payload, request.probe)
        yield payload


def _report(spec: ModelSpec | None, payload: Payload, probe: bool) -> Report:
    findings = list(payload.findings)
    if spec is None and payload.value is not MISSING:
        spec, problems = _named_model(payload)
        findings += problems
    model_id = spec.model_id if spec is not None else payload.model or ""
    if payload.value is MISSING or spec is None:
        return Report(model_id, findings)
    return check_value(spec, payload.value, probe, findings)


def _named_model(payload: Payload) -> tuple[ModelSpec | None, list[Finding]]:
    """The model that a payload names: by its id, or by the address of its schema, which ends with the id."""
    name = payload.model
    if name is None:
        message = f'names no model; write {{"model": ..., "input": ...}}, or "{SCHEMA_KEY}" into the payload'
        return None, [ErrorFinding("no_model", message)]
    spec = package().spec_named(name)
    if spec is not None:
        return spec, []
    parts = name.removesuffix(".json").split("/")
    try:
        return package().known_spec("/".join(parts[-4:])), []
    except UnknownModelError as error:
        return None, [ErrorFinding("unknown_model", error.message)]


def other_model(model_id: str, payload: object) -> list[Finding]:
    """A warning, if the payload names another model than the one it is checked for."""
    name = payload.get(SCHEMA_KEY) if isinstance(payload, dict) else None
    spec = package().spec_named(name) if isinstance(name, str) else None
    if spec is None or spec.model_id == model_id:
        return []
    message = f"is that of {spec.model_id}, and the payload is checked for {model_id}"
    return [WarningFinding("other_model", message, keys=(SCHEMA_KEY,))]
