"""Each kind of client against each profile, with the outcome that docs/simulator.md has in its table."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runcomfy import RunComfy
from runcomfy_simulator import PROFILES

from tests.simulator.foreign_clients import CLIENTS, Http, StopError

if TYPE_CHECKING:
    from tests.support.simulator import Start

ROOT = Path(__file__).resolve().parents[2]
TABLE_HEAD = "| a client that"


def documented() -> dict[str, dict[str, str]]:
    """client -> profile -> outcome, from the page."""
    lines = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(TABLE_HEAD))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    profiles = [cell.strip("`") for cell in rows[0][1:]]
    return {row[0]: dict(zip(profiles, row[1:], strict=True)) for row in rows[2:]}


@pytest.mark.parametrize(
    "profile", ["docs", *(pytest.param(name, marks=pytest.mark.long) for name in PROFILES if name != "docs")]
)
def test_every_kind_of_client(start: Start, profile: str) -> None:
    simulator = start(profile=profile, run_seconds=0.2)
    outcomes = {}
    for name, client in CLIENTS.items():
        with contextlib.closing(Http(simulator.url, simulator.token)) as http:
            try:
                outcomes[name] = client(http)
            except StopError as stop:
                outcomes[name] = str(stop)
    assert outcomes == {name: cells[profile] for name, cells in documented().items()}


@pytest.mark.parametrize("profile", list(PROFILES))
def test_our_own_client_works_with_every_profile(start: Start, profile: str, tmp_path: Path) -> None:
    simulator = start(profile=profile, schemas=ROOT / "schemas", run_seconds=0.03)
    with RunComfy(token=simulator.token, base_url=simulator.url) as client:
        job = client.submit("bytedance/seedream-5.0-pro/text-to-image", {"prompt": "A boat"})
        files = job.wait(timeout=20).download(tmp_path)
        assert [file.suffix for file in files] == [".png"]
        failing = client.submit("bytedance/seedream-5.0-pro/text-to-image", {"prompt": "A boat #fail nsfw"})
        with pytest.raises(Exception, match="not safe"):
            failing.wait(timeout=20)
