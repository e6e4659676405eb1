"""The MCP server over real stdio, in both eras of the protocol, against the simulator."""

from __future__ import annotations

import base64
import json
import time
from functools import partial
from typing import TYPE_CHECKING

import jsonschema
import pytest
from mcp_types import ElicitResult
from runcomfy_simulator import Simulator

from tests.support.agents import ERAS, MODEL, TOKEN, Host, yes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(queue_seconds=0.0, run_seconds=0.05) as simulator:
        yield simulator


@pytest.fixture(scope="module", params=ERAS)
def host(request: pytest.FixtureRequest, sim: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(sim, tmp_path_factory.mktemp("host"), era=request.param) as found:
        yield found


@pytest.fixture(autouse=True)
def _person_says_yes(host: Host) -> None:
    host.person = yes
    host.questions.clear()


def test_it_says_which_era_it_speaks(host: Host) -> None:
    assert host.client.session.protocol_version == ("2025-11-25" if host.era == "legacy" else host.era)


def test_every_schema_passes_its_meta_schema(host: Host) -> None:
    tools = {tool.name: tool for tool in host.run(host.client.list_tools()).tools}
    assert set(tools) == {
        *("search_models", "get_model", "validate_input", "submit_job"),
        *("wait_for_job", "cancel_job", "list_jobs", "get_balance"),
    }
    for tool in tools.values():
        assert tool.description
        assert "  " not in tool.description
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None
            jsonschema.Draft202012Validator.check_schema(schema)
    arguments = tools["submit_job"].input_schema
    assert set(arguments["properties"]) == {"model_id", "input", "job_key"} == set(arguments["required"])


def test_models_are_found_by_words_and_near_ids_help(host: Host) -> None:
    found = host.facts("search_models", query="Dreamina text-to-image")
    assert [(model["model_id"], model["required_inputs"]) for model in found["models"]] == [(MODEL, ["prompt"])]
    found = host.facts("search_models", limit=3)
    assert (len(found["models"]), found["total"] > 50) == (3, True)
    assert MODEL in host.facts("search_models", query="bytedance/dreamina-4-0/text-to-imgae")["near"]
    found = host.facts("search_models", query="dremina edit")
    assert [model["model_id"] for model in found["models"]] == ["bytedance/dreamina-4-0/edit"]
    assert found["corrected"] == {"dremina": "dreamina"}
    assert host.refusal("search_models", limit=51)["code"] == "arguments"
    assert "no category 'image'" in host.facts("search_models", category="image")["next"]


def test_a_model_is_described(host: Host) -> None:
    facts = host.facts("get_model", model_id=MODEL)
    jsonschema.Draft202012Validator(facts["input_schema"]).validate(facts["example"])
    assert (facts["base_price_usd"], facts["price_unit"], facts["price_source"]) == (0.04, "output", "catalog, now")
    for model_id in (MODEL, MODEL.replace("/", "%2F")):  # as people write it, and as a URI template is filled in
        (content,) = host.run(host.client.read_resource(f"runcomfy://models/{model_id}")).contents
        assert (content.mime_type, json.loads(content.text)) == ("application/schema+json", facts["input_schema"])
    error = host.refusal("get_model", model_id="bytedance/dreamina-4-0/text-to-imgae")
    assert (error["code"], MODEL in error["message"]) == ("unknown_model", True)


def test_an_input_is_checked_with_places_and_suggestions(host: Host) -> None:
    verdict = host.facts("validate_input", model_id=MODEL, input={"promt": "x"})
    assert [(each["path"], each["code"]) for each in verdict["errors"]] == [
        ("/prompt", "required"),
        ("/promt", "unknown_key"),
    ]
    assert verdict["errors"][1]["suggestion"] == "prompt"
    good = host.facts("validate_input", model_id=MODEL, input={"prompt": "x"})
    assert (good["ok"], good["estimated_usd"]) == (True, 0.04)


def test_a_job_is_submitted_after_a_question_and_its_files_are_read(host: Host, sim: Simulator) -> None:
    before = sim.accepted
    key = f"scene-{host.era}"
    job = json.loads(host.submit(key).content[0].text)  # type: ignore[union-attr]  # a client that reads text only
    assert sim.accepted == before + 1
    (question,) = host.questions
    assert all(words in question for words in (MODEL, key, "a cat", "0.04 USD"))
    result = host.call("wait_for_job", request_id=job["request_id"])
    facts = result.structured_content or {}
    assert (facts["state"], facts["cost_usd"], facts["job_key"]) == ("completed", 0.04, key)
    assert [block.type for block in result.content] == ["text", "resource_link", "image"]
    (file,) = facts["files"]
    (content,) = host.run(host.client.read_resource(file["uri"])).contents
    assert (content.mime_type, len(base64.b64decode(content.blob))) == ("image/png", file["size"])
    again = host.submit(key).structured_content or {}
    assert (again["already_submitted"], again["request_id"]) == (True, job["request_id"])
    assert (len(host.questions), sim.accepted) == (1, before + 1)
    listed = host.facts("list_jobs", which="all")["jobs"]
    assert (key, 1) in [(row["job_key"], row["files_kept"]) for row in listed]
    assert host.facts("get_balance")["last_24_hours"]["jobs"] >= 1


@pytest.mark.parametrize(
    "answer",
    [
        ElicitResult(action="accept", content={"approve": False}),
        ElicitResult(action="accept", content={"approve": "perhaps"}),
        ElicitResult(action="accept"),
        ElicitResult(action="decline"),
        ElicitResult(action="cancel"),
    ],
    ids=["no", "nonsense", "nothing", "decline", "cancel"],
)
def test_no_other_answer_than_yes_pays(host: Host, sim: Simulator, answer: ElicitResult) -> None:
    before = sim.accepted
    host.person = lambda: answer
    result = host.submit("never-approved")
    assert result.is_error
    assert (len(host.questions), sim.accepted) == (1, before)
    assert host.facts("list_jobs")["total"] == 0


@pytest.mark.parametrize("approve", [True, False], ids=["yes", "no"])
def test_calls_at_once_with_one_new_key_ask_one_question_and_share_its_outcome(
    host: Host, sim: Simulator, approve: bool
) -> None:
    before, key = sim.accepted, f"at-once-{approve}-{host.era}"

    def person() -> ElicitResult:
        time.sleep(0.2)  # the others call meanwhile
        return ElicitResult(action="accept", content={"approve": approve})

    host.person = person
    begin = partial(host.begin, "submit_job", model_id=MODEL, job_key=key)
    answers = [call.result(60).structured_content or {} for call in [begin(input={"prompt": key}) for _ in range(5)]]
    assert (len(host.questions), sim.accepted) == (1, before + approve)
    if approve:
        assert len({answer["request_id"] for answer in answers}) == 1
        assert sorted(answer["already_submitted"] for answer in answers) == [False] + [True] * 4
    else:
        assert {answer["error"]["code"] for answer in answers} == {"not_approved"}
        # Another call later asks again.
        assert host.submit(key, key).is_error
        assert len(host.questions) == 2


def test_an_agent_cannot_confirm_for_the_person(host: Host, sim: Simulator) -> None:
    before = sim.accepted
    host.person = lambda: ElicitResult(action="decline")
    arguments = {"model_id": MODEL, "input": {"prompt": "x"}, "job_key": "sly"}
    for extra in ({"confirmed": True}, {"approval": {"approve": True}}):
        assert host.refusal("submit_job", **arguments, **extra)["code"] == "arguments"
    assert sim.accepted == before


def test_a_wrong_input_is_refused_before_anyone_is_asked(host: Host, sim: Simulator) -> None:
    before = sim.accepted
    error = host.refusal("submit_job", model_id=MODEL, input={"promt": "x"}, job_key="wrong")
    assert (error["code"], error["report"]["errors"][1]["suggestion"]) == ("invalid_input", "prompt")
    assert (host.questions, sim.accepted) == ([], before)


def test_a_queued_job_is_cancelled(host: Host, sim: Simulator) -> None:
    sim.script("job 1: queue 60")
    try:
        job = host.facts("submit_job", model_id=MODEL, input={"prompt": "x"}, job_key=f"queued-{host.era}")
        waiting = host.facts("wait_for_job", request_id=job["request_id"], seconds=0)
        assert waiting["state"] == "in_queue"
        assert host.facts("cancel_job", request_id=job["request_id"])["cancelled"]
        assert "cancelled already" in host.facts("cancel_job", request_id=job["request_id"])["next"]
        ended = host.facts("wait_for_job", request_id=job["request_id"], seconds=20)
    finally:
        sim.clear_script()
    assert ended["state"] == "cancelled"


def test_a_job_that_fails_is_explained_in_words(host: Host) -> None:
    job = host.facts("submit_job", model_id=MODEL, input={"prompt": "#fail nsfw"}, job_key=f"fails-{host.era}")
    ended = host.facts("wait_for_job", request_id=job["request_id"])
    assert (ended["state"], "new job_key" in ended["next"]) == ("failed", True)
    assert ended["error"]


def test_progress_always_grows(host: Host, sim: Simulator) -> None:
    sim.script("status: latency 1.5")
    seen: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    try:
        request_id = (host.submit(f"slow-{host.era}").structured_content or {})["request_id"]
        wait = host.client.call_tool("wait_for_job", {"request_id": request_id, "seconds": 2.2}, progress_callback=note)
        host.run(wait)
    finally:
        sim.clear_script()
    assert len(seen) >= 1
    assert seen == sorted(set(seen))


def test_the_token_is_nowhere(host: Host) -> None:
    """What the server writes and answers, also in the tests above that ran on the same one."""
    job = host.submit(f"secret-{host.era}").structured_content or {}
    host.facts("wait_for_job", request_id=job["request_id"])
    host.refusal("wait_for_job", request_id="nobody")
    host.call("list_jobs", which="all")
    host.call("get_balance")
    for path in host.folder.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
    assert host.errors.read_text() == ""
    assert len(host.messages) >= 5
    assert TOKEN not in "".join([*host.messages, *host.questions])
