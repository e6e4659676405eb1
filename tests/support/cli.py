"""What the command line answered, and the shape of the fixture that asks it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from runcomfy_simulator import Simulator

SCRIPT = Path(sys.executable).parent / "runcomfy-client"
SCHEMAS = Path(__file__).parents[2] / "schemas"
TEXT_TO_IMAGE = "bytedance/dreamina-4-0/text-to-image"
EDIT = "bytedance/dreamina-4-0/edit"


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one process."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document it must be."""
        return json.loads(self.out)


class Cli(Protocol):
    def __call__(
        self,
        *words: str,
        sim: Simulator | None = None,
        stdin: str | bytes = b"",
        env: dict[str, str] | None = None,
    ) -> Answer: ...
