"""An outside client: the command line of MCP's own inspector, a process for each call."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_simulator import Simulator

from tests.support.agents import MODEL, TOKEN
from tests.support.npm import installed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKAGE = "@modelcontextprotocol/inspector@2.12.0"


@pytest.mark.long
def test_the_inspector_lists_validates_submits_waits_and_reads(tmp_path: Path) -> None:
    tool = installed(PACKAGE) / "node_modules" / ".bin" / "mcp-inspector"
    with Simulator(queue_seconds=0.0, run_seconds=0.05) as sim:
        inspect = inspector(tool, sim, tmp_path)
        tools = inspect("--method", "tools/list")["tools"]
        assert "submit_job" in [each["name"] for each in tools]
        call = ("--method", "tools/call", "--tool-name")
        verdict = inspect(*call, "validate_input", "--tool-arg", f"model_id={MODEL}", 'input={"promt": "x"}')
        assert verdict["structuredContent"]["errors"][1]["suggestion"] == "prompt"
        arguments = ("--tool-arg", f"model_id={MODEL}", 'input={"prompt": "a cat"}', "job_key=scene-1")
        for _ in range(2):  # each in a server process of its own
            job = inspect(*call, "submit_job", *arguments)["structuredContent"]
        assert (job["already_submitted"], sim.accepted) == (True, 1)
        result = inspect(*call, "wait_for_job", "--tool-arg", f"request_id={job['request_id']}")
        (file,) = result["structuredContent"]["files"]
        (content,) = inspect("--method", "resources/read", "--uri", file["uri"])["contents"]
        assert (content["mimeType"], len(base64.b64decode(content["blob"]))) == ("image/png", file["size"])


def inspector(tool: Path, sim: Simulator, folder: Path) -> Callable[..., Any]:
    variables = {
        "RUNCOMFY_API_TOKEN": TOKEN,
        "RUNCOMFY_BASE_URL": sim.url,
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder),
    }
    env = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    server = [sys.executable, "-m", "runcomfy", "mcp", "--spend", "budget", "--max-jobs", "5"]

    def inspect(*words: str) -> Any:
        done = subprocess.run(
            [str(tool), "--cli", *env, *words, "--", *server],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=folder,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return inspect
