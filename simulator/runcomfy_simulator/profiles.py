"""Where the sources about the API disagree, a profile says which source to follow.

What a source does not say, such as whether queue positions start at 0 or 1, differs between profiles on purpose: a
client must work with all of them. docs/simulator.md has the table of profiles, and the table of which kind of client
works with which profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

UndeclaredKeys = Literal["refuse", "ignore", "take"]
UNDECLARED_KEYS: tuple[UndeclaredKeys, ...] = get_args(UndeclaredKeys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One consistent reading of the API. Make your own with `dataclasses.replace(PROFILES["docs"], ...)`.

    Args:
        name: what it is called in the greeting.
        success: the word on /result for a job that succeeded.
        status_shows_failure: /status says `failed` for a failed job; otherwise `completed`, which means "over".
        submit_code: the HTTP status of an accepted submit.
        submit_has_status: the reply to a submit has a `status`.
        early_result_code: what /result answers before the end: 200 with the state, or 400 with error 400005.
        cancel_outcome: the `outcome` of a cancel that succeeds.
        token_code: the HTTP status for a bad token.
        balance_code: the HTTP status when no balance is left.
        invalid_code: the HTTP status for an input that does not match the schema.
        invalid_body: how such a reply names places: a `detail` list whose `loc` are lists, a `detail` list whose `loc`
            are texts such as `input.image_urls[0]`, or one text under `error_key`.
        first_position: the `queue_position` of the job that is next.
        error_key: the key that holds an error's text.
        lists_of_one: one image comes as `images: [url]`; otherwise as `image: url`.
        list_has_window: the catalog's reply repeats `limit` and `offset`.
        result_has_model_id: /result names the model.
        result_has_input: /result repeats the input.
        undeclared_keys: what happens to keys that the input schema does not have: the request is refused, or the keys
            have no effect, or they have the effect that declared keys of that name have.
        data_uris: media may be `data:` URIs; otherwise only URLs.
    """

    name: str
    success: Literal["succeeded", "completed"]
    status_shows_failure: bool
    submit_code: int
    submit_has_status: bool
    early_result_code: int
    cancel_outcome: str
    token_code: int
    balance_code: int
    invalid_code: int
    invalid_body: Literal["list", "text-list", "text"]
    first_position: int
    error_key: str
    lists_of_one: bool
    list_has_window: bool
    result_has_model_id: bool
    result_has_input: bool
    undeclared_keys: UndeclaredKeys
    data_uris: bool


PROFILES = {
    # RunComfy's documentation pages.
    "docs": Profile(
        name="docs",
        success="succeeded",
        status_shows_failure=False,
        submit_code=200,
        submit_has_status=False,
        early_result_code=200,
        cancel_outcome="cancelled",
        token_code=400,
        balance_code=400,
        invalid_code=422,
        invalid_body="list",
        first_position=0,
        error_key="error_message",
        lists_of_one=True,
        list_has_window=True,
        result_has_model_id=True,
        result_has_input=False,
        # RunComfy's own docs add `lora` to models whose schemas do not list it: only this reading agrees with them.
        undeclared_keys="take",
        data_uris=True,
    ),
    # RunComfy's ComfyUI nodes: they poll only /result, compare `model_id`, and send data URIs.
    "nodes": Profile(
        name="nodes",
        success="succeeded",
        status_shows_failure=True,
        submit_code=202,
        submit_has_status=True,
        early_result_code=200,
        cancel_outcome="cancellation_requested",
        token_code=401,
        balance_code=402,
        invalid_code=400,
        invalid_body="text",
        first_position=1,
        error_key="message",
        lists_of_one=True,
        list_has_window=False,
        result_has_model_id=True,
        result_has_input=False,
        undeclared_keys="take",
        data_uris=True,
    ),
    # The mock of RunComfy's Zapier integration, and the strictest reading of its MCP server's docs.
    "zapier": Profile(
        name="zapier",
        success="succeeded",
        status_shows_failure=False,
        submit_code=200,
        submit_has_status=True,
        early_result_code=400,
        cancel_outcome="cancelled",
        token_code=401,
        balance_code=400,
        invalid_code=400,
        invalid_body="text",
        first_position=0,
        error_key="error",
        lists_of_one=True,
        list_has_window=True,
        result_has_model_id=False,
        result_has_input=False,
        undeclared_keys="refuse",
        data_uris=False,
    ),
    # What clients of third parties report from the real API.
    "third-party": Profile(
        name="third-party",
        success="completed",
        status_shows_failure=True,
        submit_code=200,
        submit_has_status=True,
        early_result_code=200,
        cancel_outcome="cancelled",
        token_code=403,
        balance_code=402,
        invalid_code=422,
        invalid_body="text-list",
        first_position=1,
        error_key="detail",
        lists_of_one=False,
        list_has_window=False,
        result_has_model_id=False,
        result_has_input=True,
        undeclared_keys="ignore",
        data_uris=True,
    ),
}
