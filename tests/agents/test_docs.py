"""docs/agents.md: its session is what the server really answers. `--update` records it again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from mcp_types import ElicitResult
from runcomfy_simulator import Simulator

from tests.support.agents import Host, yes

PAGE = Path(__file__).parents[2] / "docs" / "agents.md"
_SESSION = re.compile(r"(?<=## A session\n)(.*?```text\n)(.*?)(?=```)", re.DOTALL)


def play(calls: list[str], folder: Path) -> str:
    """The calls with their answers, the same in every run."""
    lines: list[str] = []
    answers = [yes(), ElicitResult(action="decline")]
    with Simulator(queue_seconds=0.0, run_seconds=0.05) as sim, Host(sim, folder) as host:
        host.person = lambda: answers.pop(0)
        request_id = "ID"
        for call in calls:
            asked = len(host.questions)
            tool, _, arguments = call.removeprefix("> ").partition(" ")
            result = host.call(tool, **json.loads(arguments.replace('"ID"', json.dumps(request_id))))
            facts = result.structured_content or {}
            request_id = facts.get("request_id", request_id)
            lines.append(call)
            lines += [f"  ? {line}".rstrip() for question in host.questions[asked:] for line in question.split("\n")]
            text = json.dumps(facts, ensure_ascii=False).replace(request_id, "ID").replace(str(folder), "")
            text = re.sub(r'"size": \d+', '"size": 100000', text)
            text = re.sub(r'"\d{4}-\d\d-\d\dT[^"]+"', '"2026-11-21T09:30:00+00:00"', text)
            lines.append(f"< {text}")
    return "\n".join(lines) + "\n"


@pytest.mark.long
def test_the_session_is_what_the_server_answers(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    text = PAGE.read_text(encoding="utf-8")
    match = _SESSION.search(text)
    assert match is not None
    played = play([line for line in match[2].splitlines() if line.startswith("> ")], tmp_path / "host")
    if pytestconfig.getoption("--update"):
        PAGE.write_text(text.replace(match[2], played), encoding="utf-8")
    else:
        assert match[2] == played
