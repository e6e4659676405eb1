"""The rows of batches, and the books of what became of them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.support.simulator import IMAGE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runcomfy_client.batch.folder import BatchView
    from runcomfy_simulator import Simulator


def write_rows(path: Path, count: int) -> Path:
    rows = [{"model": IMAGE, "key": f"key-{n}", "input": {"prompt": f"picture {n}"}} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def check_books(
    sim: Simulator, view: BatchView, lines: Sequence[dict[str, Any]], count: int, logs: str = ""
) -> Counter[str]:
    """Compare what the API accepted with what the batch knows, and has in these lines; returns the jobs by state."""
    counts = Counter({state: number for state, number in view.status().counts.items() if number})
    assert len({line["key"] for line in lines}) == len(lines) == count, f"{counts}\n{logs}"
    prompts = Counter(job.input["prompt"] for job in sim.jobs)
    assert not [prompt for prompt, number in prompts.items() if number > 1], "paid twice"
    known = {line["request_id"] for line in lines if line["request_id"]}
    unsure = {line["key"].replace("key-", "picture ") for line in lines if line["state"] == "unsure"}
    lost = {job.input["prompt"] for job in sim.jobs if job.request_id not in known}
    assert lost <= unsure, "a paid job is neither known nor listed as unsure"
    assert known <= {job.request_id for job in sim.jobs}
    sums = view.store.sums()
    (items,) = view.store._read(
        "SELECT CAST(sum(spent) AS BIGINT) AS spent, CAST(sum(reserved) AS BIGINT) AS reserved FROM items", ()
    )
    assert (sums["spent"], sums["reserved"]) == (items["spent"], items["reserved"])
    assert counts == Counter(line["state"] for line in lines)
    return counts
