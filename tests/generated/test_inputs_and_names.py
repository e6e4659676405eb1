"""Input classes as jobs, dicts from elsewhere, and what a client says of models that were not generated."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy
import pytest
import runcomfy
from runcomfy.models.bytedance.dreamina_4_0 import EditInput, TextToImageInput
from runcomfy_simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT_TO_IMAGE = "bytedance/dreamina-4-0/text-to-image"


@pytest.fixture
def api() -> Iterator[Simulator]:
    with Simulator(queue_seconds=0.0, run_seconds=0.0) as simulator:
        yield simulator


@pytest.fixture(params=["sync", "async"])
def submit(request: pytest.FixtureRequest, api: Simulator) -> Callable[..., Any]:
    """`client.submit(...)` of either client."""

    def sync_submit(*values: Any, **named: Any) -> Any:
        with runcomfy.RunComfy(token=api.token, base_url=api.url) as client:
            return client.submit(*values, **named)

    async def async_submit(*values: Any, **named: Any) -> Any:
        async with runcomfy.AsyncRunComfy(token=api.token, base_url=api.url) as client:
            return await client.submit(*values, **named)

    if request.param == "sync":
        return sync_submit
    return lambda *values, **named: asyncio.run(async_submit(*values, **named))


def test_an_input_is_submitted_by_itself(api: Simulator, submit: Callable[..., Any]) -> None:
    job = submit(TextToImageInput(prompt="A paper moon", scale=0.3), options={"extra_input": {"lora": {"path": "x"}}})
    (accepted,) = api.jobs
    assert accepted.model_id == job.model_id == TEXT_TO_IMAGE
    assert accepted.input == {"prompt": "A paper moon", "scale": 0.3, "lora": {"path": "x"}}


def test_an_input_may_go_to_another_id(api: Simulator, submit: Callable[..., Any]) -> None:
    submit("bytedance/dreamina-4-0/edit", EditInput(image_urls=["https://example.com/a.png"], prompt="Bluer"))
    assert [job.model_id for job in api.jobs] == ["bytedance/dreamina-4-0/edit"]


@pytest.mark.parametrize(
    "values", [(TextToImageInput(prompt="x"), {"prompt": "y"}), (TEXT_TO_IMAGE,), (TEXT_TO_IMAGE, ["prompt"])]
)
def test_what_is_no_input_is_refused(api: Simulator, submit: Callable[..., Any], values: tuple[Any, ...]) -> None:
    with pytest.raises((runcomfy.ConfigurationError, runcomfy.InvalidInputError), match="input"):
        submit(*values)
    with pytest.raises(runcomfy.UnknownModelError, match="model id"):
        submit(5, {"prompt": "x"})
    assert not api.jobs


BAD_BODIES = [
    ({"promt": "x"}, {("/promt", "unknown_key"), ("/prompt", "required")}),
    ({"prompt": "x", "width_height": "1x1"}, {("/width_height", "unknown_key")}),
    ({"prompt": None}, {("/prompt", "type")}),
    ({"prompt": "x", "self": 1, "options": {}}, {("/self", "unknown_key"), ("/options", "unknown_key")}),
]


@pytest.mark.parametrize(("body", "faults"), BAD_BODIES)
def test_a_dict_from_elsewhere_is_checked_and_nothing_else_is_raised(
    api: Simulator, submit: Callable[..., Any], body: dict[str, object], faults: set[tuple[str, str]]
) -> None:
    for attempt in (lambda: submit(TEXT_TO_IMAGE, body), lambda: TextToImageInput.from_payload(body)):
        with pytest.raises(runcomfy.InvalidInputError) as caught:
            attempt()
        assert {(each.path, each.code) for each in caught.value.report.errors} == faults
    assert not api.jobs


@pytest.mark.parametrize(
    ("scale", "sent"),
    [
        (numpy.float32(0.5), 0.5),
        (numpy.int64(1), 1),
        (numpy.linspace(0, 1, 3)[1], 0.5),
        (Decimal("0.30"), 0.3),
        (Decimal(1), 1),
        (Fraction(1, 4), 0.25),
    ],
)
def test_numbers_of_other_libraries_are_sent_as_plain_ones(
    api: Simulator, submit: Callable[..., Any], scale: Any, sent: float
) -> None:
    submit(TextToImageInput(prompt="x", scale=scale, force_single=numpy.True_))  # type: ignore[arg-type]  # no bool
    submit(TEXT_TO_IMAGE, {"prompt": "x", "scale": scale, "force_single": numpy.True_})
    with runcomfy.RunComfy(token=api.token, base_url=api.url) as client:
        client.bytedance.dreamina_4_0.text_to_image(prompt="x", scale=scale, force_single=True)
    assert [job.input for job in api.jobs] == [{"prompt": "x", "scale": sent, "force_single": True}] * 3


@pytest.mark.parametrize("scale", [Fraction(1, 3), Decimal("0.1234567890123456789"), Decimal("NaN"), Decimal("1E+400")])
def test_numbers_that_would_change_are_refused_with_a_cure(scale: Any) -> None:
    with pytest.raises(runcomfy.InvalidInputError, match=r"expected a number.*convert it, for example with float\(\)"):
        TextToImageInput(prompt="x", scale=scale)


def test_an_array_is_a_list() -> None:
    urls = numpy.array(["https://example.com/a.png", "https://example.com/b.png"])
    made = EditInput(image_urls=urls, prompt="x")  # type: ignore[arg-type]  # no list to type checkers
    assert made.to_payload()["image_urls"] == urls.tolist()


def test_an_array_at_a_picture_says_how_to_make_one() -> None:
    with pytest.raises(runcomfy.InvalidInputError, match=r"got a Python ndarray; .*PIL\.Image\.fromarray\(\)"):
        EditInput(image_urls=[numpy.zeros((4, 4, 3), "uint8")], prompt="x")  # type: ignore[list-item]


def test_from_payload_takes_wire_names_and_suggests_near_ones() -> None:
    made = TextToImageInput.from_payload({"prompt": "x", "width×height": "2048x2048(1:1)"})
    assert made.width_height == "2048x2048(1:1)"
    with pytest.raises(runcomfy.InvalidInputError, match="did you mean 'prompt'"):
        TextToImageInput.from_payload({"promt": "x"})
    with pytest.raises(runcomfy.InvalidInputError, match="expected an object"):
        TextToImageInput.from_payload(["prompt"])  # type: ignore[arg-type]  # as a body may come


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("klng", ["'klng'", "did you mean 'kling'", 'client.submit("klng/...', "pull 'klng/*'"]),
        ("acme_corp", ["pull 'acme-corp/*'"]),
        ("balanc", ["did you mean 'balance'"]),
        ("bytedance.dremina_4_0", ["client.bytedance has", "'dreamina_4_0'", "pull 'bytedance/*'"]),
        (
            "bytedance.dreamina_4_0.text_to_video",
            ["client.bytedance.dreamina_4_0", "'text_to_image'", 'submit("bytedance/dreamina-4-0/...'],
        ),
    ],
)
@pytest.mark.parametrize("kind", [runcomfy.RunComfy, runcomfy.AsyncRunComfy])
def test_a_model_that_was_not_generated_says_how_to_go_on(kind: type, path: str, names: list[str]) -> None:
    found: Any = kind(token="any")
    *there, missing = path.split(".")
    for name in there:
        found = getattr(found, name)
    assert not hasattr(found, missing)
    with pytest.raises(AttributeError) as caught:
        getattr(found, missing)
    for name in names:
        assert name in str(caught.value)


def test_other_attributes_are_missing_as_anywhere() -> None:
    client = runcomfy.RunComfy(token="any")
    for owner in (client, client.bytedance):
        with pytest.raises(AttributeError, match="object has no attribute '_repr_html_'"):
            owner._repr_html_  # type: ignore[union-attr]  # noqa: B018 - as notebooks ask


def test_an_error_inside_a_property_stays_what_it_is() -> None:
    class Broken(runcomfy.RunComfy):
        @property
        def acme(self) -> int:
            return int(self.token_of_mine)  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="'token_of_mine'"):
        Broken(token="any").acme  # noqa: B018


@pytest.mark.parametrize("kind", [runcomfy.RunComfy, runcomfy.AsyncRunComfy])
def test_a_misspelt_argument_of_the_constructor_is_refused_under_the_users_name(kind: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{kind.__name__}\.__init__\(\) got .* 'tokn'"):
        kind(tokn="any")


@pytest.mark.parametrize("kind", [runcomfy.RunComfy, runcomfy.AsyncRunComfy])
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("token", 12345),
        ("base_url", 5),
        ("timeout", "5"),
        ("max_retries", "3"),
        ("max_retries", -1),
        ("max_connections", 0),
        ("max_connections", 1.5),
        ("http_client", 5),
        ("journal", 5),
        ("event_hooks", [1]),
    ],
)
def test_an_argument_of_the_wrong_kind_is_refused_at_once(kind: Any, argument: str, value: object) -> None:
    with pytest.raises(runcomfy.ConfigurationError) as caught:
        kind(**{"token": "any", argument: value})
    assert "12345" not in str(caught.value)  # it may be the token


def test_the_constructor_and_submit_explain_their_parameters() -> None:
    for kind in (runcomfy.RunComfy, runcomfy.AsyncRunComfy):
        doc = inspect.getdoc(kind.submit) or ""
        assert "model_id:" in doc
        assert "InvalidInputError" in doc
