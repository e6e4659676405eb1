"""The main job, start to end: an API page becomes a typed client, a checked payload, a job and a picture.

Everything happens in a temporary folder, against a local Model API: no token, no money, no network.
"""

from __future__ import annotations

import importlib
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = HERE / "poster-1-0.page.txt"
WIDTH = 110
MODEL_ID = "papermoon/poster-1-0/text-to-image"


class Narrator:
    """Numbers the steps and indents what they show."""

    def __init__(self) -> None:
        self._step = 0

    def step(self, title: str) -> None:
        self._step += 1
        print(f"\n{self._step}. {title}", flush=True)

    def show(self, text: object) -> None:
        for line in str(text).rstrip().splitlines():
            further = " " * (len(line) - len(line.lstrip()) + 5)
            for part in textwrap.wrap(line, WIDTH - 3, subsequent_indent=further, drop_whitespace=False):
                print(f"   {part}", flush=True)


def main() -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    kept = Path(tempfile.mkdtemp(prefix="runcomfy-demo-"))
    with tempfile.TemporaryDirectory(prefix="runcomfy-demo-work-") as folder:
        tell(Narrator(), Path(folder), kept)
    return 0


def copy_some_models(folder: Path) -> None:
    """A store of one provider's models: a new model is added to what is there."""
    store = ROOT / "schemas"
    shutil.copytree(store / "bytedance" / "dreamina-4-0", folder / "bytedance" / "dreamina-4-0")
    shutil.copy(store / "output.json", folder)


def tell(narrator: Narrator, work: Path, kept: Path) -> None:
    schemas, generated = work / "schemas", work / "generated"
    copy_some_models(schemas)
    codegen(work, "generate", "--output", "generated", "--schemas", "schemas")
    before = files_below(generated)

    narrator.step("Import the API page of a model that schemas/ does not have yet")
    narrator.show(f"$ runcomfy-codegen import {PAGE.name}")
    narrator.show(codegen(work, "import", str(PAGE), "--schemas", "schemas").replace(f"{PAGE.parent}{os.sep}", ""))

    narrator.step("Regenerate the client: what appeared")
    codegen(work, "generate", "--output", "generated", "--schemas", "schemas")
    for name in sorted(files_below(generated) - before):
        if not name.endswith("__init__.py"):
            narrator.show(f"+ generated/{name}")

    # From here on `runcomfy` is the package generated a moment ago.
    sys.path.insert(0, str(generated))
    runcomfy = importlib.import_module("runcomfy")

    narrator.step("Its endpoint method")
    client_class = runcomfy.RunComfy
    with client_class(token="demo", base_url="http://127.0.0.1:1") as offline:
        method = offline.papermoon.poster_1_0.text_to_image
        narrator.show(f"client.papermoon.poster_1_0.text_to_image{format_signature(method)}")

    narrator.step("Check payloads, without a network")
    good = {"prompt": "A paper moon over a paper sea", "width×height": "768x512(3:2)", "scale": 0.3}
    bad = {"prompt": "x" * 401, "width×height": "768x512", "scale": 1.01, "papr": "torn"}
    for name, payload in (("good", good), ("bad", bad)):
        narrator.show(f"{name}: {runcomfy.validate(MODEL_ID, payload)}")

    narrator.step("Run a job on the local Model API, through the generated client")
    from runcomfy_simulator import Simulator

    with (
        Simulator(schemas=schemas, queue_seconds=0.6, run_seconds=0.8) as api,
        client_class(token=api.token, base_url=api.url) as client,
    ):
        job = client.papermoon.poster_1_0.text_to_image(
            prompt="A paper moon over a paper sea", width_height="768x512(3:2)", scale=0.3
        )
        narrator.show(f"request id {job.request_id}")
        result = job.wait(timeout=60, on_update=narrator.show)
        for file in result.download(kept):
            narrator.show(f"saved {file} ({file.stat().st_size:,} bytes)")


def codegen(work: Path, *arguments: str) -> str:
    """Run the generator's command as a user does, in `work`; give what it printed."""
    command = Path(sys.executable).with_name("runcomfy-codegen")
    done = subprocess.run([str(command), *arguments], cwd=work, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"runcomfy-codegen {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}


def format_signature(method: Any) -> str:
    """One parameter a line, as an editor shows it."""
    signature = inspect.signature(method)
    lines = ["(", "    *,"]
    for name, parameter in signature.parameters.items():
        optional = "" if parameter.default is parameter.empty else f" = {parameter.default}"
        lines.append(f"    {name}: {parameter.annotation}{optional},")
    return "\n".join([*lines, f") -> {signature.return_annotation}"])


if __name__ == "__main__":
    sys.exit(main())
