"""docs/validation.md lists every code there is, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client" / "runcomfy_client"
FINDINGS = {"ErrorFinding": "Errors", "WarningFinding": "Warnings", "UncheckedFinding": "Unchecked"}


def codes_in_code() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {section: set() for section in FINDINGS.values()}
    rooms = [path for room in ("schema", "media", "cli") for path in (CLIENT / room).glob("*.py")]
    for path in [*rooms, CLIENT / "prepare.py", CLIENT / "models.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in FINDINGS
                and node.args
            ):
                code = node.args[0]
                assert isinstance(code, ast.Constant), f"{path}:{node.lineno}: a code is a plain string"
                found[FINDINGS[node.func.id]].add(str(code.value))
            if isinstance(node, ast.keyword) and node.arg == "language" and isinstance(node.value, ast.Constant):
                found["Errors"].add(str(node.value.value).lower())  # a SyntaxFinding's code is its language
    return found


def test_every_code_is_documented() -> None:
    text = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    for section, codes in codes_in_code().items():
        part = text.partition(f"### {section}\n")[2].partition("\n#")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)) == codes, section
