"""The OpenAPI document of all models, judged by the linters and the type generator that people use."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from runcomfy_codegen.cli import run

from tests.support.npm import installed

ROOT = Path(__file__).parents[2]
REDOCLY = "@redocly/cli@2.77.0"
SPECTRAL = "@stoplight/spectral-cli@6.16.3"
TYPES = ("openapi-typescript@7.13.0", "typescript@5.9.3")

pytestmark = pytest.mark.long  # installing the tools takes longer than running them


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("openapi") / "api.json"
    assert run(["openapi", "--schemas", str(ROOT / "schemas"), "--output", str(file)]) == 0
    return file


def output_of(folder: Path, *command: str, cwd: Path) -> str:
    """What a tool says; it has to end well."""
    program, *words = command
    tool = folder / "node_modules" / ".bin" / program
    done = subprocess.run([str(tool), *words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_redocly_warns_of_nothing(document: Path) -> None:
    # The licence of the API is RunComfy's to state.
    words = ("lint", document.name, "--format", "json", "--skip-rule", "info-license")
    found = json.loads(output_of(installed(REDOCLY), "redocly", *words, cwd=document.parent))
    assert found["problems"] == []


def test_spectral_warns_of_nothing(document: Path) -> None:
    (document.parent / ".spectral.json").write_text('{"extends": ["spectral:oas"]}')
    words = ("lint", document.name, "--ruleset", ".spectral.json", "--format", "json", "--fail-severity", "hint")
    output_of(installed(SPECTRAL), "spectral", *words, cwd=document.parent)


def test_typescript_takes_the_generated_types(document: Path) -> None:
    folder = installed(*TYPES)
    # Without the option it demands every property that has a default, also of a request.
    words = (document.name, "--default-non-nullable", "false", "-o", "api.ts")
    output_of(folder, "openapi-typescript", *words, cwd=document.parent)
    use = (
        'import type { paths } from "./api";\n'
        'type Submit = paths["/v1/models/bytedance/dreamina-4-0/edit"]["post"];\n'
        'type Body = Submit["requestBody"]["content"]["application/json"];\n'
        'export const body: Body = { prompt: "x", image_urls: ["https://pictures.example/moon.png"], scale: 0.3 };\n'
    )
    (document.parent / "use.ts").write_text(use)
    output_of(folder, "tsc", "--noEmit", "--strict", "use.ts", cwd=document.parent)
    (document.parent / "use.ts").write_text(use.replace("scale: 0.3", 'scale: "0.3"'))
    with pytest.raises(AssertionError, match="not assignable"):
        output_of(folder, "tsc", "--noEmit", "--strict", "use.ts", cwd=document.parent)
