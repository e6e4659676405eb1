"""A paid result is never rejected, its files are found, and one's own input come back is no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.api.outcomes import files_in
from runcomfy_client.errors import APIError

from tests.support.fault_proxy import answer
from tests.support.http_wire import json_response
from tests.support.internals import cost_in
from tests.support.tiny_api import COMPLETED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy
    from tests.support.tiny_api import TinyApi

KINDS = ("sync", "async")
A, B, C = (f"https://files.runcomfy.net/{name}" for name in "abc")


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ({"image": A}, [("image", A)]),
        ({"images": [A, B]}, [("image", A), ("image", B)]),
        ({"video": A, "audios": [B]}, [("video", A), ("audio", B)]),
        ({"images": [{"url": A, "width": 5}, {"url": B}]}, [("image", A), ("image", B)]),
        ({"video": {"url": A, "thumbnail": {"url": B}}}, [("video", A), ("file", B)]),
        ({"mesh": {"url": A}}, [("file", A)]),
        ({"images": [A, A]}, [("image", A)]),
        ([{"images": [A]}], [("image", A)]),
        ({"images": None, "image": ""}, []),
        ({"images": ["not a url", 5, None]}, []),
        ({"input": {"image": A}, "images": [B]}, [("image", B)]),
        ({"seed": 5, "text": A}, []),
        ("text", []),
        (None, []),
    ],
)
def test_files_are_found_where_they_are_put(output: object, found: list[tuple[str, str]]) -> None:
    assert [(file.kind, file.url) for file in files_in(output)] == found


def test_a_reply_without_end_is_read_to_some_depth() -> None:
    output: dict[str, Any] = {"url": A}
    for _ in range(5000):
        output = {"deeper": output}
    assert list(files_in(output)) == []


def test_the_echo_of_ones_own_input_is_no_result(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [COMPLETED]
    api.output = {"image": A, "images": [B, A], "video": C}
    result = clients(proxy.url).submit("any/model", {"image": A, "refs": [{"path": C}]}).wait(10)
    assert [file.url for file in result.files] == [B]


def test_without_the_input_the_schema_tells_what_may_be_an_echo(
    clients: Clients, proxy: FaultProxy, api: TinyApi
) -> None:
    """A job picked up elsewhere: what was sent is not known, but what a model's inputs are called is."""
    api.output = {"image_urls": [{"url": "https://example.com/mine.png"}], "images": [A]}
    model_id = "bytedance/dreamina-4-0/edit"
    result = clients(proxy.url).job("some-id", model_id).wait(10)
    assert [file.url for file in result.files] == [A]
    api.output = {"image_urls": [{"url": A}], "images": [B]}
    assert len(clients(proxy.url).job("some-id", model_id).wait(10).files) == 2


@pytest.mark.parametrize(
    "output",
    [
        {"images": 5},
        {"images": [{"no": "url"}]},
        {"image": ["a", "list"]},
        ["a", "list"],
        "a text",
        7,
        {"unheard_of": {"deep": [1]}},
    ],
)
def test_nothing_that_was_paid_for_is_rejected(clients: Clients, proxy: FaultProxy, api: TinyApi, output: Any) -> None:
    api.statuses, api.output = [COMPLETED], output
    for model_id, given in (
        ("any/model", {}),
        ("bytedance/dreamina-4-0/text-to-image", {"prompt": "x"}),
    ):
        result = clients(proxy.url).submit(model_id, given).wait(10)
        assert result.raw["output"] == output
        assert result.files == ()
        assert result.warnings


@pytest.mark.parametrize(
    ("cost", "read"),
    [(0.04, 0.04), (0, 0.0), ("0.04", 0.04), (None, None), (True, None), ("free", None), ([1], None), (-0.04, None)],
)
def test_the_cost_is_a_number_or_not_known(cost: object, read: float | None) -> None:
    assert cost_in({"cost": cost}) == read


def test_the_model_is_the_one_that_the_reply_names(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses, api.result = [COMPLETED], {"status": "succeeded", "model_id": "other/model"}
    result = clients(proxy.url).submit("any/model", {}).wait(10)
    assert result.model_id == "other/model"
    assert "submitted to any/model, but the reply names the model other/model" in "".join(result.warnings)
    picked_up = clients(proxy.url).job("job-1").result()
    assert picked_up.model_id == "other/model"
    assert not picked_up.warnings


@pytest.mark.parametrize("model_id", [None, 5, "", ["a"]])
def test_a_reply_that_names_no_model_changes_nothing(
    clients: Clients, proxy: FaultProxy, api: TinyApi, model_id: object
) -> None:
    api.statuses, api.result = [COMPLETED], {"status": "succeeded", "model_id": model_id}
    result = clients(proxy.url).submit("any/model", {}).wait(10)
    assert (result.model_id, result.warnings) == ("any/model", ())


@pytest.mark.parametrize(
    ("reply", "cancelled"),
    [
        ({"status": "cancelled", "outcome": "cancelled"}, True),
        ({"status": "in_queue", "outcome": "canceled"}, True),
        ({"status": "cancelled", "outcome": "cancellation_requested"}, True),
        ({"status": "cancelled"}, True),
        ({"status": "cancelled", "outcome": "not_cancellable"}, False),
        ({"status": "in_progress", "outcome": "cancellation_requested"}, False),
        ({"status": "in_queue", "outcome": "completed"}, False),
        ({}, False),
    ],
)
def test_a_job_is_cancelled_if_the_reply_says_so(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, reply: dict[str, Any], cancelled: bool
) -> None:
    """In the journal, too: there it frees the job's key, so a doubt must not count."""
    api.cancel = reply
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    assert client.submit("any/model", {}).cancel().cancelled is cancelled
    assert [entry.state for entry in client.journal.entries()] == ["cancelled" if cancelled else "submitted"]


@pytest.mark.parametrize("reply", [{}, {"balance_usd": None, "currency": "USD"}, {"balance_usd": "much"}])
def test_a_balance_without_an_amount_is_an_error(clients: Clients, proxy: FaultProxy, reply: dict[str, Any]) -> None:
    proxy.plan("balance", answer(json_response(reply)))
    with pytest.raises(APIError, match="names no amount"):
        clients(proxy.url).balance()


def test_a_debt_is_a_balance_and_less_than_nothing_is_no_price(clients: Clients, proxy: FaultProxy) -> None:
    proxy.plan("balance", answer(json_response({"balance_usd": -3.5})))
    assert clients(proxy.url).balance().usd == -3.5
    proxy.plan("catalog", answer(json_response({"models": [{"model_id": "a/b", "base_price_usd": -1}]})))
    assert clients(proxy.url).catalog.list()[0].base_price_usd is None
