"""A batch: checked before the first cent, run by both clients, gone on with, within its limits, and repaired."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.api import calls
from runcomfy_client.api.download import prepare
from runcomfy_client.batch import engine, flight
from runcomfy_client.batch.folder import BatchFolder
from runcomfy_client.batch.folder_store import FolderLock
from runcomfy_client.client import AsyncClient, SyncClient
from runcomfy_client.errors import (
    AuthenticationError,
    ConfigurationError,
    DownloadError,
    InvalidBatchError,
    JournalError,
    TransportError,
)
from runcomfy_client.journal.writer import SubmitRecord
from runcomfy_client.packages import FORMAT, ModelPackage
from runcomfy_client.schema import Integer, ModelSpec, Number, Object, Property, String

from tests.support.simulator import EDIT, IMAGE, VIDEO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runcomfy_client.batch.folder import BatchItem
    from runcomfy_simulator import Simulator


@pytest.fixture
def client(sim: Simulator) -> Iterator[SyncClient]:
    with SyncClient(sim.token, sim.url) as made:
        yield made


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"model": IMAGE, "input": {"prompt": f"picture {n}"}} for n in range(first, first + count)]


def lines_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def test_every_job_is_done_once_and_written_down(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    batch = client.batch(rows(20), tmp_path / "out")
    items = list(batch.run())
    assert {item.state for item in items} == {"done"}
    assert len({item.key for item in items}) == len(sim.jobs) == 20
    for item in items:
        (path,) = item.files
        assert isinstance(path, Path)
        assert path.name.startswith(item.key)
        assert path.stat().st_size
    assert {line["request_id"] for line in lines_in(tmp_path / "out")} == {job.request_id for job in sim.jobs}
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["counts"]["done"] == 20
    assert report["spent"] == report["balance_difference"] == 5.0
    assert batch.stopped is None


def test_the_async_client_runs_the_same(sim: Simulator, tmp_path: Path) -> None:
    async def work() -> list[BatchItem]:
        async with AsyncClient(sim.token, sim.url) as client:
            batch = client.batch(rows(10), tmp_path / "out")
            assert (await batch.check()).estimate == 2.5
            return [item async for item in batch.run()]

    assert len({item.request_id for item in asyncio.run(work())}) == 10


def test_inserted_and_shuffled_rows_pay_nothing_again(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    list(client.batch(rows(10), tmp_path / "out").run())
    assert not list(client.batch(rows(10), tmp_path / "out").run())
    assert not list(client.batch(rows(10)[::-1], tmp_path / "out").run())
    assert len(list(client.batch([*rows(1, 10), *rows(10)], tmp_path / "out").run())) == 1
    assert len(sim.jobs) == 11


def test_the_same_input_twice_is_two_jobs_unless_a_key_says_otherwise(
    sim: Simulator, client: SyncClient, tmp_path: Path
) -> None:
    batch = client.batch([*rows(2), *rows(2)], tmp_path / "out")
    check = batch.check()
    assert (check.jobs, check.repeats) == (4, 2)
    assert len(list(batch.run())) == len(sim.jobs) == 4
    keyed = [{**row, "key": "scene"} for row in rows(1) * 2]
    check = client.batch(keyed).check()
    assert (check.jobs, check.duplicates) == (1, 1)


def test_one_bad_row_stops_everything_before_a_request(tmp_path: Path) -> None:
    bad: list[Any] = [*rows(30), {"model": IMAGE}, "no object", {"model": IMAGE, "input": {}, "prompt": "x"}]
    bad += [{"model": IMAGE, "key": "one", "input": {"prompt": text}} for text in ("a", "b")]
    # Nobody listens there: a single request would fail otherwise.
    with (
        SyncClient("token", "http://127.0.0.1:9", max_retries=0) as client,
        pytest.raises(InvalidBatchError) as caught,
    ):
        list(client.batch(bad, tmp_path / "out").run())
    places = [problem.place for problem in caught.value.check.problems]
    assert places == ["job 31", "job 32", "job 33", "job 35"]
    assert not (tmp_path / "out").exists()


def test_a_csv_cell_is_typed_by_the_schema(tmp_path: Path, sim: Simulator) -> None:
    spec = ModelSpec(
        IMAGE,
        Object(
            {
                "prompt": Property(String()),
                "scale": Property(Number(minimum=0, maximum=1)),
                "num_images": Property(Integer()),
            },
            required=("prompt",),
        ),
    )
    (tmp_path / "words.txt").write_text("from a file\n")
    file = tmp_path / "rows.csv"
    file.write_text("key,prompt,scale,num_images\na,@words.txt,0.5,2\nb,@@handle,,\nc,7,2,\n")

    class Client(SyncClient):
        _package = ModelPackage("tests", format=FORMAT, models={})

    Client._package._specs[IMAGE] = spec
    with Client(sim.token, sim.url) as client:
        check = client.batch(file, model=IMAGE).check()
        assert [str(problem) for problem in check.problems] == ["line 4: /scale: must be from 0 to 1, got 2"]
        file.write_text(file.read_text().replace("c,7,2,", "c,7,1,"))
        assert len(list(client.batch(file, tmp_path / "out", model=IMAGE).run())) == 3
    sent = {job.input["prompt"]: dict(job.input) for job in sim.jobs}
    assert sent["from a file"] == {"prompt": "from a file", "scale": 0.5, "num_images": 2}
    assert sent["@handle"] == {"prompt": "@handle"}
    assert sent["7"]["scale"] == 1


def test_local_pictures_are_sent_as_they_were_checked(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "picture.png"
    Image.new("RGB", (64, 64), "red").save(path)
    batch = client.batch([{"model": EDIT, "key": "a", "input": {"images": [path, path.read_bytes()]}}], tmp_path / "o")
    assert [item.state for item in batch.run()] == ["done"]
    assert [value[:15] for value in sim.jobs[0].input["images"]] == ["data:image/png;"] * 2
    later = client.batch([{"model": EDIT, "key": "b", "input": {"images": [path]}}], tmp_path / "later")
    assert later.check().ok
    Image.new("RGB", (64, 64), "blue").save(path)
    (item,) = later.run()
    assert (item.state, item.error) == ("refused", "a file of its input has changed since it was checked")
    assert len(sim.jobs) == 1


def test_a_budget_is_never_passed_and_raising_it_goes_on(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    batch = client.batch(rows(8), tmp_path / "out", budget=1.0)
    assert len(list(batch.run())) == 4
    assert batch.stopped == "budget"
    status = batch.status()
    assert (status.spent, status.reserved, status.counts["waiting"]) == (1.0, 0.0, 4)
    assert len(list(client.batch(rows(8), tmp_path / "out", budget=1.5).run())) == 2
    assert len(list(client.batch(rows(8), tmp_path / "out").run())) == 2
    assert sim.accepted == 8


def test_the_first_job_of_a_model_corrects_an_estimate_that_is_too_low(
    sim: Simulator, client: SyncClient, tmp_path: Path
) -> None:
    batch = client.batch(rows(20), tmp_path / "out", budget=1.0, prices={IMAGE: 0.05})
    list(batch.run())
    # By the price given all twenty would fit; the first shows that a job costs five times as much.
    assert sim.accepted == 4
    assert batch.status().spent == 1.0


def test_a_model_by_the_second_is_estimated_by_its_duration(client: SyncClient) -> None:
    films = [{"model": VIDEO, "input": {"prompt": "a", "duration": n}} for n in (1, 5)]
    assert client.batch(films).check().estimate == pytest.approx(0.6)


def test_a_budget_needs_a_price_for_every_model(client: SyncClient, tmp_path: Path) -> None:
    batch = client.batch([{"model": "acme/unknown/model", "input": {"a": 1}}], tmp_path / "out", budget=1)
    with pytest.raises(ConfigurationError, match="every model needs a price"):
        list(batch.run())


def test_an_api_that_is_down_leaves_few_jobs_unsure(
    sim: Simulator, client: SyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FIRST_PROBE", 0.01)
    monkeypatch.setattr(engine, "LONGEST_PROBE", 0.05)
    sim.script("submit 1-: 503")
    batch = client.batch(rows(200), tmp_path / "out", max_unsure=6)
    list(batch.run())
    assert batch.stopped == "unsure"
    assert 6 <= batch.status().counts["unsure"] <= 6 + 4
    (failure,) = batch.failures()
    assert failure.cause.startswith("HTTP 503")


def test_an_unsure_job_waits_for_its_user(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    sim.script("submit 1: 503")
    keyed = [{**row, "key": f"k{n}"} for n, row in enumerate(rows(3))]
    batch = client.batch(keyed, tmp_path / "out", submits=1)
    assert {item.key: item.state for item in batch.run()}["k0"] == "unsure"
    assert not list(client.batch(keyed, tmp_path / "out").run())
    with pytest.raises(ConfigurationError, match="Settle it first"):
        list(batch.retry(keys=["k0"]))
    with pytest.raises(ConfigurationError, match="is done, not unsure"):
        batch.settle("k1", started=False)
    with pytest.raises(ConfigurationError, match="is not a key"):
        batch.settle("k9", started=False)
    batch.settle("k0", started=False)
    assert [(item.key, item.state) for item in client.batch(keyed, tmp_path / "out").run()] == [("k0", "done")]
    assert sorted(line["key"] for line in lines_in(tmp_path / "out")) == ["k0", "k1", "k2"]
    assert {line["state"] for line in lines_in(tmp_path / "out")} == {"done"}


def test_a_request_id_is_the_job_of_one_row(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    sim.script("submit 1: lost reply")
    keyed = [{**row, "key": f"k{n}"} for n, row in enumerate(rows(2))]
    batch = client.batch(keyed, tmp_path / "out", submits=1)
    ended = {item.key: item for item in batch.run()}
    lost, other = sim.jobs
    assert ended["k1"].request_id == other.request_id
    with pytest.raises(ConfigurationError, match=f"knows no job {lost.request_id[::-1]}. Nothing was changed"):
        batch.settle("k0", request_id=lost.request_id[::-1])
    with pytest.raises(JournalError, match="is the job of 'k1'"):
        batch.settle("k0", request_id=other.request_id)
    batch.settle("k0", request_id=lost.request_id)
    assert [item.request_id for item in client.batch(keyed, tmp_path / "out").run()] == [lost.request_id]


def test_a_refused_row_can_be_mended(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    sim.script("submit 1: 422")
    keyed = [{**row, "key": f"k{n}"} for n, row in enumerate(rows(2))]
    batch = client.batch(keyed, tmp_path / "out", submits=1)
    assert {item.key: item.state for item in batch.run()} == {"k0": "refused", "k1": "done"}
    mended = [{**keyed[0], "input": {"prompt": "mended"}}, keyed[1]]
    assert [(item.key, item.state) for item in client.batch(mended, tmp_path / "out").run()] == [("k0", "done")]
    assert [job.input["prompt"] for job in sim.jobs] == ["picture 1", "mended"]
    assert {line["state"] for line in lines_in(tmp_path / "out")} == {"done"}


def test_a_429_is_tried_again_in_place(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    sim.script("submit 1-3: 429")
    assert {item.state for item in client.batch(rows(6), tmp_path / "out").run()} == {"done"}
    assert sim.accepted == 6
    with sqlite3.connect(tmp_path / "out" / "batch.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM submissions").fetchone() == (6,)


def test_a_retry_runs_exactly_the_chosen_ones(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    keyed = [{**row, "key": f"k{n}"} for n, row in enumerate(rows(10))]
    sim.script("job 2-4: fail")
    batch = client.batch(keyed, tmp_path / "out", budget=100.0)
    failed = {item.key for item in batch.run() if item.state == "failed"}
    assert len(failed) == 3
    assert batch.failures()[0].count == 3
    before = sim.accepted
    again = client.batch(output_dir=tmp_path / "out")
    assert {item.key for item in again.retry(keys=sorted(failed)[:1])} == {sorted(failed)[0]}
    assert {item.key for item in again.retry(failed=True)} == failed - {sorted(failed)[0]}
    assert sim.accepted == before + 3
    assert {line["state"] for line in lines_in(tmp_path / "out")} == {"done"}
    assert len(lines_in(tmp_path / "out")) == 10


def test_a_wrong_token_stops_the_batch_and_nothing_is_lost(sim: Simulator, schemas: Path, tmp_path: Path) -> None:
    sim.script("submit 1-: 401")
    with SyncClient(sim.token, sim.url) as client:
        batch = client.batch(rows(5), tmp_path / "out")
        with pytest.raises(AuthenticationError):
            list(batch.run())
        assert batch.stopped == "access"
        sim.clear_script()
        assert len(list(client.batch(rows(5), tmp_path / "out").run())) == 5
    assert sim.accepted == 5


def test_leaving_the_loop_ends_the_run_in_order(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    for item in client.batch(rows(40), tmp_path / "out").run():
        assert item.ok
        break
    counts = BatchFolder(tmp_path / "out").status().counts
    assert counts["submitting"] == counts["unsure"] == 0
    list(client.batch(rows(40), tmp_path / "out").run())
    assert sim.accepted == len(lines_in(tmp_path / "out")) == 40


def test_results_are_repaired(client: SyncClient, tmp_path: Path) -> None:
    list(client.batch(rows(5), tmp_path / "out").run())
    file = tmp_path / "out" / "results.jsonl"
    whole = file.read_bytes()
    for damaged in (whole[:-20], b"", whole[:50] + b"\n" + whole[60:], whole + b'{"key": '):
        file.write_bytes(damaged)
        list(client.batch(rows(5), tmp_path / "out").run())
        assert file.read_bytes() == whole


def test_ordered_results_stand_in_the_order_of_the_rows(client: SyncClient, tmp_path: Path) -> None:
    keyed = [{**row, "key": f"k{n}"} for n, row in enumerate(rows(12))]
    list(client.batch(keyed, tmp_path / "out", ordered=True).run())
    assert [line["key"] for line in lines_in(tmp_path / "out")] == [f"k{n}" for n in range(12)]


def test_a_folder_belongs_to_one_batch_and_one_process(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    list(client.batch(rows(2), tmp_path / "out").run())
    with pytest.raises(ConfigurationError, match="none of its jobs"):
        list(client.batch(rows(2, 50), tmp_path / "out").run())
    with SyncClient("another-token", sim.url) as other, pytest.raises(ConfigurationError, match="another token"):
        list(other.batch(rows(2), tmp_path / "out").run())
    changed = [{"model": IMAGE, "key": lines_in(tmp_path / "out")[0]["key"], "input": {"prompt": "other"}}]
    with pytest.raises(InvalidBatchError, match="another input"):
        list(client.batch(changed, tmp_path / "out").run())
    lock = FolderLock(tmp_path / "out")
    try:
        with pytest.raises(ConfigurationError, match="Another process"):
            list(client.batch(rows(2), tmp_path / "out").run())
        assert BatchFolder(tmp_path / "out").status().active
    finally:
        lock.release()
    assert sim.accepted == 2


def test_a_folder_that_lost_its_database_is_not_paid_again(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    list(client.batch(rows(2), tmp_path / "out").run())
    before = lines_in(tmp_path / "out")
    for lose in (lambda path: path.write_bytes(b""), Path.unlink):
        lose(tmp_path / "out" / "batch.sqlite3")
        with pytest.raises(ConfigurationError, match="Put that file back"):
            list(client.batch(rows(2), tmp_path / "out").run())
    assert (sim.accepted, lines_in(tmp_path / "out")) == (2, before)


def test_a_paused_batch_sends_nothing(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    list(client.batch(rows(2), tmp_path / "out").run())
    folder = BatchFolder(tmp_path / "out")
    folder.pause()
    batch = client.batch(rows(4), tmp_path / "out")
    assert not list(batch.run())
    assert batch.stopped == "paused"
    folder.resume()
    assert len(list(client.batch(rows(4), tmp_path / "out").run())) == 2


def test_rows_that_are_gone_are_not_sent(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    list(client.batch(rows(4), tmp_path / "out", budget=0.5).run())
    assert not list(client.batch(rows(2), tmp_path / "out").run())
    assert sim.accepted == 2


def test_an_iterator_is_read_once(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    batch = client.batch(iter(rows(3)), tmp_path / "out", budget=0.5)
    assert batch.check().jobs == 3
    assert len(list(batch.run())) == 2
    with pytest.raises(ConfigurationError, match="only once"):
        list(batch.run())
    with pytest.raises(ConfigurationError, match="none of its jobs"):
        list(client.batch([], tmp_path / "out").run())
    assert len(list(client.batch(rows(3), tmp_path / "out").run())) == 1
    assert sim.accepted == 3


def test_files_that_cannot_be_fetched_are_fetched_by_the_next_run(
    sim: Simulator, client: SyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "FETCH_TRIES", 1)
    sim.script("file 1-: 307 to http://127.0.0.1:9/nothing")
    batch = client.batch(rows(2), tmp_path / "out")
    assert not list(batch.run())
    assert batch.status().counts["fetching"] == 2
    assert batch.status().spent == 0.5
    sim.clear_script()
    assert {item.state for item in client.batch(rows(2), tmp_path / "out").run()} == {"done"}
    assert client.batch(output_dir=tmp_path / "out").status().spent == 0.5
    assert sim.accepted == 2


def test_a_file_that_is_gone_for_good_is_not_asked_for_again(
    sim: Simulator, client: SyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "FETCH_TRIES", 2)
    sim.script("file 1-: 410")
    batch = client.batch(rows(2), tmp_path / "out")
    items = list(batch.run())
    assert {(item.state, item.error) for item in items} == {("expired", "a file of its result is gone: HTTP 410")}
    assert batch.status().spent == 0.5
    assert not list(client.batch(rows(2), tmp_path / "out").run())
    sim.clear_script()
    assert {item.state for item in client.batch(output_dir=tmp_path / "out").retry(failed=True)} == {"done"}
    assert sim.accepted == 4


def test_a_cost_that_comes_late_is_asked_for_again(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    sim.script("job 1-2: cost after 1.5")
    batch = client.batch(rows(5), tmp_path / "out")
    list(batch.run())
    assert batch.report().without_cost == 2
    time.sleep(1.6)
    again = client.batch(rows(5), tmp_path / "out")
    assert not list(again.run())
    assert again.report().without_cost == 0
    assert again.status().spent == 1.25
    lines = lines_in(tmp_path / "out")
    assert [line["cost"] for line in lines] == [0.25] * 5
    assert len({line["key"] for line in lines}) == 5


def test_a_lease_that_ended_in_a_sleep_is_taken_anew(
    sim: Simulator, client: SyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[bool] = []
    check = SubmitRecord.check_lease

    def sleep_once(record: SubmitRecord) -> None:
        if not slept:
            slept.append(True)
            record._lease.extend((0.0, 0.0))  # as if it had been written long ago
        check(record)

    monkeypatch.setattr(SubmitRecord, "check_lease", sleep_once)
    batch = client.batch(rows(3), tmp_path / "out")
    assert {item.state for item in batch.run()} == {"done"}
    assert slept
    assert batch.stopped is None
    assert sim.accepted == 3


def test_an_api_that_cannot_be_reached_at_all_ends_the_run_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FIRST_PROBE", 0.01)
    with SyncClient("token", "http://127.0.0.1:9", max_retries=0) as client:
        batch = client.batch(rows(20), tmp_path / "out")
        with pytest.raises(TransportError):
            list(batch.run())
    assert batch.stopped == "unreachable"
    counts = batch.status().counts
    assert counts["waiting"] == 20


def test_parquet_has_the_columns_of_csv_or_structs(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    import pyarrow  # type: ignore[import-untyped]  # it has no types
    from pyarrow import parquet

    flat = {"key": ["a", "b"], "model": [IMAGE, None], "prompt": ["a fox", "@@handle"], "seed": [7, None]}
    parquet.write_table(pyarrow.table(flat), tmp_path / "flat.parquet")
    structs = {"key": ["c"], "price": [0.5], "input": [{"prompt": "an owl", "size": {"width": 64}}]}
    parquet.write_table(pyarrow.table(structs), tmp_path / "structs.parquet")
    assert len(list(client.batch(tmp_path / "flat.parquet", tmp_path / "out", model=IMAGE).run())) == 2
    batch = client.batch(tmp_path / "structs.parquet", tmp_path / "more", model=IMAGE)
    assert batch.check().estimate == 0.5
    assert len(list(batch.run())) == 1
    sent = [dict(job.input) for job in sim.jobs]
    assert {"prompt": "a fox", "seed": 7} in sent
    assert {"prompt": "@handle"} in sent
    assert sent[2] == {"prompt": "an owl", "size": {"width": 64}}
    (tmp_path / "no.parquet").write_text("key,prompt")
    with pytest.raises(ConfigurationError, match="not a Parquet file"):
        client.batch(tmp_path / "no.parquet", model=IMAGE).check()


def test_the_schema_that_editors_read_is_not_sent_and_names_the_model(
    sim: Simulator, client: SyncClient, tmp_path: Path
) -> None:
    from runcomfy import RunComfy

    with RunComfy(sim.token, sim.url) as known:
        schema = "../schemas/bytedance/dreamina-4-0/text-to-image.json"
        other = "https://schemas.example/bytedance/dreamina-4-0/edit.json"
        made = {"model": "bytedance/dreamina-4-0/text-to-image"}
        lines: list[dict[str, Any]] = [
            {"input": {"$schema": schema, "prompt": "a"}},
            {**made, "input": {"$schema": other, "prompt": "b"}},
        ]
        check = known.batch(lines).check()
        assert (check.jobs, check.warnings, [str(each) for each in check.problems]) == (2, 1, [])
    batch = client.batch([{"model": IMAGE, "input": {"$schema": schema, "prompt": "c"}}], tmp_path / "out")
    assert [item.state for item in batch.run()] == ["done"]
    assert sim.jobs[0].input == {"prompt": "c"}


def test_a_poll_that_fails_after_a_long_rest_does_not_end_the_run(
    sim: Simulator, client: SyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "GIVE_UP_SECONDS", 1.0)
    jobs = [{"model": IMAGE, "input": {"prompt": prompt}} for prompt in ("a", "b #status 1: 503")]
    batch = client.batch(jobs, tmp_path / "out", rate=0.5)
    assert {item.state for item in batch.run()} == {"done"}
    assert batch.stopped is None


def test_the_next_intent_is_asked_for_while_an_id_is_written(
    client: SyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    intend, submitted = SubmitRecord.intend, SubmitRecord._submitted

    def intend_noted(record: SubmitRecord) -> Any:
        events.append("intent")
        return intend(record)

    def submitted_slowly(record: SubmitRecord, request_id: str) -> None:
        time.sleep(0.05)
        submitted(record, request_id)
        events.append("id")

    monkeypatch.setattr(SubmitRecord, "intend", intend_noted)
    monkeypatch.setattr(SubmitRecord, "_submitted", submitted_slowly)
    batch = client.batch(rows(4), tmp_path / "out", submits=1, download=False)
    assert {item.state for item in batch.run()} == {"done"}
    # So both are in one commit; and of one slot, never a second intent before the first one's id.
    assert events == ["intent", *["intent", "id"] * 3, "id"]


def test_an_api_that_is_busy_for_long_ends_the_run(
    sim: Simulator, client: SyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(calls, "RATE_LIMIT_PAUSE", 0.05)
    sim.script("submit 3-: 429")
    batch = client.batch(rows(5), tmp_path / "out")
    assert len(list(batch.run())) == 2
    assert batch.stopped == "busy"
    assert batch.status().counts["waiting"] == 3
    sim.clear_script()
    assert len(list(client.batch(rows(5), tmp_path / "out").run())) == 3
    assert sim.accepted == 5


def test_files_that_cannot_be_written_end_the_run_with_one_error(
    sim: Simulator,
    client: SyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def prepare_and_block(folder: Path) -> frozenset[str]:
        names = prepare(folder)
        folder.rmdir()
        folder.write_text("in the way")
        return names

    with monkeypatch.context() as patch:
        patch.setattr(flight, "prepare", prepare_and_block)
        batch = client.batch(rows(30), tmp_path / "out", submits=1, rate=20)
        with pytest.raises(DownloadError, match="it cannot be written"):
            list(batch.run())
    assert batch.stopped == "disk"
    assert sim.accepted < 30
    assert not [record for record in caplog.records if "cannot be written" in record.message]
    (tmp_path / "out" / "files").unlink()
    assert len(list(client.batch(rows(30), tmp_path / "out").run())) == sim.accepted == 30


def test_a_table_has_no_formulas(client: SyncClient, tmp_path: Path) -> None:
    keys = ["=1+1", "+1", "-1", "@SUM(A1)", "plain"]
    keyed = [{**row, "key": key, "price": 0.5} for key, row in zip(keys, rows(5), strict=True)]
    list(client.batch(keyed, tmp_path / "out").run())
    BatchFolder(tmp_path / "out").export(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        table = {row["key"]: row for row in csv.DictReader(file)}
    assert set(table) == {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "plain"}
    assert {line["key"] for line in lines_in(tmp_path / "out")} == set(keys)


def test_a_rate_is_stated_when_there_is_enough_of_it(client: SyncClient, tmp_path: Path) -> None:
    batch = client.batch(rows(5), tmp_path / "out")
    list(batch.run())
    with contextlib.closing(sqlite3.connect(tmp_path / "out" / "batch.sqlite3", isolation_level=None)) as connection:
        for seconds, enough in ((1.0, False), (30.0, True)):
            connection.execute("UPDATE items SET ended_at = ?", (time.time() - seconds,))
            rate = batch.status().rate
            assert rate == (pytest.approx(10, rel=0.1) if enough else None)
        connection.execute("UPDATE items SET seq = NULL WHERE seq > 3")
        assert batch.status().rate is None


def test_a_file_without_rows_is_an_error(client: SyncClient, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("key,prompt\n")
    check = client.batch(tmp_path / "rows.csv", model=IMAGE).check()
    assert not check.ok
    assert str(check.problems[0]).endswith("rows.csv: has no rows")
    assert client.batch([]).check().ok  # a program knows what it hands over


def test_a_damaged_database_says_what_to_do(sim: Simulator, client: SyncClient, tmp_path: Path) -> None:
    list(client.batch(rows(2), tmp_path / "out").run())
    (tmp_path / "out" / "batch.sqlite3").write_bytes(b"no database" * 1000)
    batch = client.batch(rows(3), tmp_path / "out")
    with pytest.raises(JournalError, match="is damaged") as caught:
        list(batch.run())
    assert "results.jsonl" in caught.value.cure
    assert sim.accepted == 2
