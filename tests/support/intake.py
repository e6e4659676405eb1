"""The five saved API pages, and the commands that bring schemas in, run in this process."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runcomfy_codegen.console import run_guarded

from tests.support.cli import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGES = Path(__file__).parents[1] / "intake" / "pages"
EDIT_DE = PAGES / "dreamina-4-0-edit.de.txt"
TEXT_IT = PAGES / "dreamina-4-0-text-to-image.it.txt"
TEXT_RU = PAGES / "dreamina-4-0-text-to-image.ru.txt"
VIDEO_RU = PAGES / "dreamina-3-0-image-to-video.ru.txt"
SEQUENTIAL_RU = PAGES / "seedream-4-0-sequential.ru.txt"
ALL_PAGES = (VIDEO_RU, EDIT_DE, TEXT_IT, TEXT_RU, SEQUENTIAL_RU)


def codegen(*words: object) -> Answer:
    """Run `runcomfy-codegen` in this process, by the console script's own entry."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv
    sys.argv = ["runcomfy-codegen", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = run_guarded()
            except SystemExit as leaving:
                code = int(leaving.code or 0)
    finally:
        sys.argv = before
    return Answer(code, out.getvalue(), err.getvalue())


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes, hidden ones included."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def page_of(model_id: str, schema: Mapping[str, Any], *, output: object = None, example: object = None) -> str:
    """An API page in few words."""
    body = json.dumps({"prompt": "x"} if example is None else example, ensure_ascii=False)
    return (
        f"curl --request POST \\\n--url https://model-api.runcomfy.net/v1/models/{model_id} \\\n"
        f"--data '{body}'Some prose with a {{request_id}}.\n"
        f"{json.dumps(schema, ensure_ascii=False)}{json.dumps(output) if output else ''}The end."
    )
