"""The schemas on disk and the schemas that the client prints are the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.cli.app import run_app

from tests.support.store import MODEL_IDS, SAMPLE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("model_ids", [sorted(SAMPLE), pytest.param(MODEL_IDS, marks=pytest.mark.long)])
def test_the_client_prints_what_is_written(
    editor_schemas: Path, capsys: pytest.CaptureFixture[str], model_ids: list[str]
) -> None:
    for model_id in model_ids:
        assert run_app(["schema", model_id]) == 0
        first, comment, *rest = (editor_schemas / f"{model_id}.json").read_text("utf-8").splitlines()
        assert comment.startswith('  "$comment": ')
        assert [first, *rest] == capsys.readouterr().out.splitlines(), model_id
        written = json.loads("\n".join([first, *rest]))
        assert next(iter(written["properties"])) == "$schema"
