"""Where token and address come from, and which are refused."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import pytest
from runcomfy_client import errors
from runcomfy_client.errors import AuthenticationError, ConfigurationError
from runcomfy_client.transport.config import BASE_URL, Config, resolve

from tests.support.internals import Timeouts, Token

if TYPE_CHECKING:
    from pathlib import Path


def config(
    token: str | None = None,
    base_url: str | None = None,
    environment: dict[str, str] | None = None,
    timeout: float | Timeouts | None = None,
) -> Config:
    return resolve(
        token=token,
        base_url=base_url,
        timeout=timeout,
        max_retries=1,
        max_connections=1,
        environment={"RUNCOMFY_CONFIG_DIR": "/nowhere", **(environment or {})},
    )


def test_the_token_is_looked_for_in_order(tmp_path: Path) -> None:
    (tmp_path / "token.json").write_text(json.dumps({"access_token": "from-file"}))
    environment = {
        "RUNCOMFY_API_TOKEN": "first",
        "RUNCOMFY_API_KEY": "second",
        "RUNCOMFY_TOKEN": "third",
        "RUNCOMFY_CONFIG_DIR": str(tmp_path),
    }
    assert config("given", environment=environment).authorization() == "Bearer given"
    for name, found in (
        ("RUNCOMFY_API_TOKEN", "first"),
        ("RUNCOMFY_API_KEY", "second"),
        ("RUNCOMFY_TOKEN", "third"),
        ("RUNCOMFY_CONFIG_DIR", "from-file"),
    ):
        assert config(environment=environment).authorization() == f"Bearer {found}"
        environment[name] = " "
    assert config(environment={"XDG_CONFIG_HOME": "/nowhere", "RUNCOMFY_CONFIG_DIR": ""}).token is None


def test_the_official_command_lines_file_is_found_by_xdg(tmp_path: Path) -> None:
    (tmp_path / "runcomfy").mkdir()
    (tmp_path / "runcomfy" / "token.json").write_text('{"access_token": "from-xdg"}')
    found = config(environment={"RUNCOMFY_CONFIG_DIR": "", "XDG_CONFIG_HOME": str(tmp_path)})
    assert found.authorization() == "Bearer from-xdg"
    (tmp_path / "runcomfy" / "token.json").write_text("{broken")
    with pytest.raises(ConfigurationError, match="log in again"):
        config(environment={"RUNCOMFY_CONFIG_DIR": "", "XDG_CONFIG_HOME": str(tmp_path)})


@pytest.mark.parametrize("text", ["", "two words", "newline\nin", "ünicode", "nul\0"])
def test_what_no_header_can_carry_is_no_token(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        config(text)
    assert not text or text not in str(caught.value)


def test_a_token_does_not_show_itself() -> None:
    token = Token(" secret ")
    assert token.reveal() == "secret"
    assert "secret" not in f"{token} {token!r} {config('secret')!r} {[token]}"
    assert "secret" not in token.digest()
    assert token.digest() == Token("secret").digest() != Token("other").digest()
    with pytest.raises(TypeError):
        pickle.dumps(token)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, BASE_URL),
        ("https://api.example.com", "https://api.example.com"),
        ("https://API.example.com/v1/", "https://api.example.com"),
        ("https://api.example.com/gateway/v1", "https://api.example.com/gateway"),
        ("http://localhost:8787/v1", "http://localhost:8787"),
        ("http://127.3.2.1:80/", "http://127.3.2.1:80"),
        ("http://[::1]:8787", "http://[::1]:8787"),
    ],
)
def test_addresses_that_will_do(given: str | None, kept: str) -> None:
    assert config(base_url=given).base_url == kept
    assert config(environment={"RUNCOMFY_BASE_URL": given or ""}).base_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "http://api.example.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "ftp://api.example.com",
        "api.example.com",
        "https://",
        "https://user:pass@api.example.com",
        "https://api.example.com/?a=b",
        "https://api.example.com/#a",
        "https://api.example.com:port",
        "https://api.exämple.com",
        "https://api.example.com/a b",
    ],
)
def test_addresses_that_will_not(given: str) -> None:
    with pytest.raises(ConfigurationError):
        config(base_url=given)


def test_who_may_see_the_token() -> None:
    real = config("t")
    for url in (f"{BASE_URL}/v1/x", "https://model-api.runcomfy.net:443/v1", real.balance_url):
        assert real.may_see_token(url)
    for url in (
        "http://model-api.runcomfy.net/v1",
        "https://model-api.runcomfy.net.evil.example/v1",
        "https://model-api.runcomfy.net:8443/",
        "https://files.runcomfy.net/",
        "https://model-api.runcomfy.net@evil.example/",
    ):
        assert not real.may_see_token(url)
    assert config(base_url="http://localhost:1").balance_url == "http://localhost:1/prod/v2/balance"


def test_model_ids_keep_their_slashes_and_nothing_else() -> None:
    assert config().url("models", "a/b-1.5/4K") == f"{BASE_URL}/v1/models/a/b-1.5/4K"
    assert config().url("models", "a/b?c#d") == f"{BASE_URL}/v1/models/a/b%3Fc%23d"


def test_time_limits() -> None:
    assert config(timeout=3).timeouts == Timeouts(connect=3, read=3, write=3, total=6)
    assert config(timeout=60).timeouts == Timeouts()
    assert config(timeout=Timeouts(read=5)).timeouts.read == 5
    with pytest.raises(ConfigurationError):
        config(timeout=0)


def test_without_a_token_the_cure_is_named() -> None:
    with pytest.raises(AuthenticationError, match="RUNCOMFY_API_TOKEN"):
        config().authorization()


@pytest.mark.parametrize("name", sorted(set(errors.__all__) - {"InvalidBatchError", "InvalidInputError"}))
def test_errors_travel_between_processes(name: str) -> None:
    error = getattr(errors, name)("what happened", request_id="job-1", model_id="any/model")
    error.add_note("and more")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert (str(back), back.request_id, back.model_id) == ("what happened", "job-1", "any/model")
    assert isinstance(back, errors.RunComfyError)


def test_a_token_that_cannot_be_used_says_where_it_came_from() -> None:
    with pytest.raises(ConfigurationError, match=r"from the argument token\) is empty"):
        config("  ")
    with pytest.raises(ConfigurationError, match=r"from RUNCOMFY_API_KEY\) is not printable"):
        config(environment={"RUNCOMFY_API_KEY": "two words"})
    with pytest.raises(ConfigurationError, match="not of the type int"):
        config(3)  # type: ignore[arg-type]  # the fault


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("localhost:8787", "write http://localhost:8787, which is allowed for this computer."),
        ("127.0.0.1:8787/v1", "write http://127.0.0.1:8787/v1, which is allowed for this computer."),
        ("api.example.com", "write https://api.example.com."),
        ("ftp://api.example.com", "is not an https:// address."),
    ],
)
def test_an_address_without_a_scheme_is_answered_with_one(text: str, advice: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        config(base_url=text)
    assert str(caught.value).endswith(advice)
