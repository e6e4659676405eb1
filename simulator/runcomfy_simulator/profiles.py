"""Where sources about the API disagree, a profile says which one to follow.

`docs` answers as RunComfy's documentation pages describe; `nodes` as RunComfy's own ComfyUI nodes, with their mocks and
comments, expect. What neither says, such as whether positions start at 0 or 1, differs on purpose: a client must live
with both.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One consistent reading of the API. Make your own with `dataclasses.replace(PROFILES["docs"], ...)`."""

    name: str
    success: str  # the word /result says when all went well
    status_tells_failure: bool  # else /status says `completed` for a failed job too
    submit_code: int
    submit_tells_status: bool
    early_result_code: int  # 200: the current state; 400: error 400005
    token_code: int
    balance_code: int
    invalid_code: int
    first_position: int
    error_text: str  # the key that carries an error's text
    lists_of_one: bool  # one image comes as `images: [url]`, else as `image: url`
    list_tells_window: bool  # the catalogue's reply repeats limit and offset
    result_tells_input: bool


PROFILES = {
    "docs": Profile(
        name="docs",
        success="succeeded",
        status_tells_failure=False,
        submit_code=200,
        submit_tells_status=False,
        early_result_code=200,
        token_code=400,
        balance_code=400,
        invalid_code=422,
        first_position=0,
        error_text="error_message",
        lists_of_one=True,
        list_tells_window=True,
        result_tells_input=False,
    ),
    "nodes": Profile(
        name="nodes",
        success="completed",
        status_tells_failure=True,
        submit_code=202,
        submit_tells_status=True,
        early_result_code=400,
        token_code=401,
        balance_code=402,
        invalid_code=400,
        first_position=1,
        error_text="message",
        lists_of_one=False,
        list_tells_window=False,
        result_tells_input=True,
    ),
}
