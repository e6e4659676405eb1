"""Faults happen where and when they are asked for, on the wire, and the simulator knows the truth all the same."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from runcomfy_simulator.fault_injection.rules import ScriptError, parse_script, triggers

from tests.support.simulator import IMAGE

if TYPE_CHECKING:
    from tests.support.simulator import Call, Start


def test_a_lost_reply_leaves_an_accepted_job(start: Start, call: Call) -> None:
    simulator = start()
    simulator.script("submit 1: lost reply", "submit 2: drop")
    caller = call(simulator)
    for _ in range(2):
        with pytest.raises(httpx.ReadError):
            caller.submit(IMAGE, prompt="a")
    assert simulator.accepted == 1
    assert caller.get("/simulator/stats").json()["accepted"] == 1
    assert caller.submit(IMAGE, prompt="a").status_code == 200


@pytest.mark.parametrize("accepted", [False, True])
def test_a_server_error_with_and_without_acceptance(start: Start, call: Call, accepted: bool) -> None:
    simulator = start()
    simulator.script("submit 1: 503" + (" accepted" if accepted else ""))
    assert call(simulator).submit(IMAGE, prompt="a").status_code == 503
    assert simulator.accepted == int(accepted)


def test_a_reset_comes_after_so_many_bytes(start: Start, call: Call) -> None:
    simulator = start()
    url = call(simulator).output(IMAGE, prompt="a")["images"][0]
    whole = httpx.get(url).content
    simulator.script("file 1: reset after 1000 bytes", "file 2: reset")
    for expected in (1000, 0):
        parts: list[bytes] = []
        with httpx.stream("GET", url) as reply:
            assert reply.headers["content-length"] == str(len(whole))
            with pytest.raises(httpx.ReadError):
                parts.extend(reply.iter_raw())
        assert b"".join(parts) == whole[:expected]
    assert httpx.get(url).content == whole


def test_replies_that_are_replaced(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    request_id = caller.accepted(IMAGE, prompt="a")
    simulator.script(
        {
            "status 1": "429 retry-after 7",
            "status 2": "502 html",
            "status 3": "307 to https://example.org/x",
            "status 4": "error body 400002",
            "status 5": "500 empty",
            "status 6": "html",
        }
    )
    path = f"/v1/requests/{request_id}/status"
    replies = [caller.get(path) for _ in range(7)]
    assert [reply.status_code for reply in replies] == [429, 502, 307, 200, 500, 200, 200]
    assert replies[0].headers["retry-after"] == "7"
    assert replies[1].headers["content-type"].startswith("text/html")
    assert replies[2].headers["location"] == "https://example.org/x"
    assert replies[3].json()["error_code"] == 400002
    assert replies[4].content == b""
    assert b"<html>" in replies[5].content
    assert replies[6].json()["status"] == "completed"


def test_corrupted_replies(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    request_id = caller.accepted(IMAGE, prompt="a")
    simulator.script(
        "result 1: bad json",
        "result 2: cut json",
        "result 3: duplicate keys",
        "result 4: state warming_up",
        "result 5: without output, finished_at",
        "result 6: null output.images",
        'result 7: with error={"code": 5}',
    )
    texts = [caller.get(f"/v1/requests/{request_id}/result").text for _ in range(8)]
    for broken in texts[:2]:
        with pytest.raises(ValueError, match="line 1 column"):
            json.loads(broken)
    pairs = json.loads(texts[2], object_pairs_hook=lambda found: found)
    words = [value for key, value in pairs if key == "status"]
    assert words == ["in_queue", "succeeded"]
    assert json.loads(texts[3])["status"] == "warming_up"
    assert not {"output", "finished_at"} & set(json.loads(texts[4]))
    assert json.loads(texts[5])["output"] == {"images": None}
    assert json.loads(texts[6])["error"] == {"code": 5}
    assert json.loads(texts[6])["status"] == "succeeded"
    assert json.loads(texts[7])["output"]["images"]


def test_slowness(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    request_id = caller.accepted(IMAGE, prompt="a")
    simulator.script("status 1: latency 0.15", "status 2: drip 20 bytes every 0.01")
    began = time.perf_counter()
    caller.status(request_id)
    assert time.perf_counter() - began >= 0.15
    parts = []
    with caller.stream("GET", f"/v1/requests/{request_id}/status") as reply:
        parts = list(reply.iter_raw())
    assert len(parts) > 3
    assert json.loads(b"".join(parts))["status"] == "completed"


def test_a_hanging_reply_ends_with_the_client(start: Start, call: Call) -> None:
    simulator = start()
    simulator.script("submit 1: hang")
    with pytest.raises(httpx.ReadTimeout):
        call(simulator).post(f"/v1/models/{IMAGE}", json={"prompt": "a"}, timeout=0.2)
    assert simulator.accepted == 0


def test_stopping_does_not_wait_for_a_hanging_reply(start: Start, call: Call) -> None:
    simulator = start()
    simulator.script("status 1: hang")
    with pytest.raises(httpx.ReadTimeout):
        call(simulator).get("/v1/requests/x/status", timeout=0.1)
    began = time.perf_counter()
    simulator.stop()
    assert time.perf_counter() - began < 2


def test_jobs_by_script(start: Start, call: Call) -> None:
    simulator = start()
    simulator.script("job 2: fail as object nsfw", "job 3: run 100", "job 4: queue 100", "job 5: forget")
    caller = call(simulator)
    ids = [caller.accepted(IMAGE, prompt="a") for _ in range(5)]
    assert [caller.status(job).get("status") for job in ids] == [
        "completed",
        "completed",
        "in_progress",
        "in_queue",
        None,
    ]
    assert caller.result(ids[1])["error"] == {"code": "failed", "message": "The content was flagged as not safe."}
    assert caller.result(ids[4])["error_code"] == 404001
    assert simulator.accepted == 5


def test_how_each_profile_shows_a_failed_job(start: Start, call: Call) -> None:
    for profile, word in (
        ("docs", "completed"),
        ("nodes", "failed"),
        ("zapier", "completed"),
        ("third-party", "failed"),
    ):
        caller = call(start(profile=profile))
        request_id = caller.accepted(IMAGE, prompt="#fail")
        assert caller.status(request_id)["status"] == word
        result = caller.get(f"/v1/requests/{request_id}/result")
        assert result.status_code == 200
        assert (result.json()["status"], result.json()["error"]) == ("failed", "The model failed.")
        assert "output" not in result.json()


def test_prompts_that_ask_for_faults(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    with pytest.raises(httpx.ReadError):
        caller.submit(IMAGE, prompt="a cat #submit: lost")
    slow = caller.accepted(IMAGE, prompt="a cat #run 100 #status 2: 503")
    plain = caller.accepted(IMAGE, prompt="a cat, #1 of the #cats: it sits")
    path = f"/v1/requests/{slow}/status"
    assert [caller.get(path).status_code for _ in range(3)] == [200, 503, 200]
    assert caller.status(slow)["status"] == "in_progress"
    assert caller.status(plain)["status"] == "completed"
    assert simulator.accepted == 3


def test_two_faults_on_one_request(start: Start, call: Call) -> None:
    simulator = start()
    simulator.script({"balance 1": ["latency 0.1", "503"]})
    began = time.perf_counter()
    assert call(simulator).get("/prod/v2/balance").status_code == 503
    assert time.perf_counter() - began >= 0.1


def test_scripts_can_be_set_and_taken_back_from_outside(start: Start, call: Call) -> None:
    caller = call(start())
    reply = caller.post("/simulator/script", content="status *: 503\nresult 1: html\n")
    assert reply.json() == {"rules": ["status *: 503", "result 1: html"]}
    assert caller.get("/v1/requests/x/status").status_code == 503
    caller.delete("/simulator/script")
    assert caller.get("/v1/requests/x/status").status_code == 404
    refused = caller.post("/simulator/script", content="status: bang")
    assert refused.status_code == 422
    assert "'bang' is not a fault; there are: latency 0.5, hang" in refused.json()["message"]


@pytest.mark.parametrize("name", ["status-404", "status-504"])
def test_ready_scripts_for_running_jobs(start: Start, call: Call, name: str) -> None:
    simulator = start(queue_seconds=5, run_seconds=5)
    simulator.script(name)
    caller = call(simulator)
    path = f"/v1/requests/{caller.accepted(IMAGE, prompt='a')}/status"
    assert caller.get(path).json()["status"] == "in_queue"
    simulator.skip(5)
    replies = [caller.get(path) for _ in range(3)]
    code = int(name.rpartition("-")[2])
    assert [reply.status_code for reply in replies] == [code, code, 200]
    if code == 404:
        assert replies[0].json()["error_code"] == 404001
    else:
        assert replies[0].headers["content-type"].startswith("text/html")
    simulator.skip(5)
    assert caller.get(path).json()["status"] == "completed"


def test_a_result_that_names_another_model(start: Start, call: Call) -> None:
    simulator = start(profile="third-party")
    simulator.script(Path("another-model"))
    caller = call(simulator)
    assert caller.result(caller.accepted(IMAGE, prompt="a"))["model_id"] == "acme/another-1/model"


def test_rules_can_be_about_queued_running_or_ended_jobs(start: Start, call: Call) -> None:
    simulator = start(queue_seconds=5, run_seconds=5)
    simulator.script("result ended 2: 503", "cancel running *: 500", "status queued: 502")
    caller = call(simulator)
    job = caller.accepted(IMAGE, prompt="a")
    seen = []
    for _ in range(3):
        seen.append([caller.get(f"/v1/requests/{job}/{name}").status_code for name in ("status", "result", "result")])
        seen[-1].append(caller.post(f"/v1/requests/{job}/cancel").status_code if seen[-1][0] == 200 else 0)
        simulator.skip(5)
    assert seen == [[502, 200, 200, 0], [200, 200, 200, 500], [200, 200, 503, 202]]


def fates(start: Start, call: Call, seed: int) -> list[str]:
    caller = call(start(fault_rate=0.4, seed=seed))
    seen = []
    for _ in range(40):
        try:
            reply = caller.get("/v1/requests/none/status", timeout=5)
            seen.append(f"{reply.status_code} {len(reply.content)}")
        except httpx.HTTPError as fault:
            seen.append(type(fault).__name__)
    return seen


def test_chance_is_reproducible(start: Start, call: Call) -> None:
    once, again, other = fates(start, call, 3), fates(start, call, 3), fates(start, call, 4)
    assert once == again
    assert once != other
    untouched = sum(1 for fate in once if fate.startswith("404"))
    assert 10 < untouched < 35


def test_shares_are_kept() -> None:
    [rule] = parse_script("status 25%: 503")
    struck = sum(rule.applies("status", seed=1) for _ in range(4000))
    assert 900 < struck < 1100


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("status 3: 503", [3]),
        ("status: 503", [1]),
        ("status 2-4: 503", [2, 3, 4]),
        ("status 1, 4-: 503", [1, 4, 5, 6]),
        ("status *: 503", [1, 2, 3, 4, 5, 6]),
        ("STATUS 0%: 503", []),
        ("request 2: 503", [2]),
        ("submit *: 503", []),
    ],
)
def test_selections(text: str, which: list[int]) -> None:
    [rule] = parse_script(text)
    assert [number for number in range(1, 7) if rule.applies("status", seed=0)] == which


def test_a_script_from_a_file(tmp_path: Path) -> None:
    as_yaml, as_json = tmp_path / "a.yaml", tmp_path / "a.json"
    as_yaml.write_text("# bad weather\nsubmit 1: lost reply\nstatus 2-3:\n  - latency 1\n  - 503\n", encoding="utf-8")
    as_json.write_text('[{"submit 1": "lost reply"}, "status 2: html"]', encoding="utf-8")
    assert [rule.text for rule in parse_script(as_yaml)] == [
        "submit 1: lost reply",
        "status 2-3: latency 1",
        "status 2-3: 503",
    ]
    assert [rule.text for rule in parse_script(as_json)] == ["submit 1: lost reply", "status 2: html"]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("submit 3 lost", "has no colon"),
        ("upload 3: lost", "does not begin with one of request, submit"),
        ("submit x: lost", "does not begin with"),
        ("submit 3: lose", "'lose' is not a fault; there are: latency 0.5"),
        ("submit 3: 600", "'600' is not a fault"),
        ("submit 3: 299", "299 is no HTTP status"),
        ("submit running: lost", "only status, result, cancel can be running"),
        ("submit 200%: lost", "not a share between 0% and 100%"),
        ("submit 1-2-3: lost", "'1-2-3' is not a number"),
        ("job 1: 503", "'503' is not a fault; there are: fail nsfw"),
        ("submit 1: [lost\n", "no YAML"),
        (Path("/none/at/all.yaml"), "No such file"),
        ([7], "this is 7"),
        ("a: &a [x, x]\nb: [*a, *a]\n", "has no aliases"),
    ],
)
def test_scripts_that_are_not_understood(script: object, says: str) -> None:
    with pytest.raises(ScriptError, match=says.replace("(", "\\(")):
        parse_script(script)  # type: ignore[arg-type]  # what a user may hand over by mistake


def test_only_known_words_are_triggers() -> None:
    texts = ["#fail nsfw", "#1 cat", "#failing", "#status 3: 503 #run 5", "# fail", "no hash: 503", "#submit 1: bang"]
    assert [rule.text for rule in triggers(texts)] == ["job: fail nsfw", "status 3: 503", "job: run 5", "job: fail"]
