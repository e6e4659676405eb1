"""What a client is set up with: token, base URL and time limits, each from argument, environment or default."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ..errors import AuthenticationError, ConfigurationError
from .deadline import LONGEST

BASE_URL = "https://model-api.runcomfy.net"
BALANCE_ORIGIN = "https://api.runcomfy.net"
BALANCE_PATH = "/prod/v2/balance"
TOKEN_VARIABLES = ("RUNCOMFY_API_TOKEN", "RUNCOMFY_API_KEY", "RUNCOMFY_TOKEN")
REDACTED = "[token]"
# A shorter token may be a word of a message; real ones are longer.
SHORT_TOKEN = 8


class Secret(str):
    """A text that tools which show the variables of a traceback do not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(REDACTED)


class Token:
    """The API token; its text is only given by `reveal`, never by `repr` or `str`."""

    __slots__ = ("_pattern", "_text")

    def __init__(self, text: str, source: str = "the argument token") -> None:
        if not isinstance(text, str):
            raise ConfigurationError(f"The token (from {source}) is a text, and not of the type {type(text).__name__}.")
        text = text.strip()
        if not text:
            raise ConfigurationError(
                f"The token (from {source}) is empty; token=None looks for one in the environment."
            )
        if not all("!" <= character <= "~" for character in text):
            raise ConfigurationError(
                f"The token (from {source}) is not printable ASCII without white space; copy it again, whole."
            )
        self._text = text
        # A server may repeat it inside JSON or an address.
        spellings = {text, text.replace("/", "\\/"), quote(text, safe=""), _escaped(text)}
        pattern = "|".join(re.escape(spelling) for spelling in sorted(spellings, key=len, reverse=True))
        if len(text) < SHORT_TOKEN:
            pattern = rf"(?<![\w./-])(?:{pattern})(?![\w/-]|\.\w)"
        self._pattern = re.compile(pattern)

    def reveal(self) -> str:
        return self._text

    def digest(self) -> str:
        """Tells accounts apart in the journal; the token cannot be recovered from it."""
        return hashlib.sha256(b"runcomfy-journal:" + self._text.encode()).hexdigest()[:16]

    def redact(self, text: str) -> str:
        """The text without the token. One of less than 8 characters is looked for as a whole word only."""
        return self._pattern.sub(REDACTED, text)

    def __repr__(self) -> str:
        return "Token(***)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("A token is not pickled; make a new client from the environment.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds a request may take without progress, by phase, and in whole.

    ``total`` bounds one exchange from the first byte to the last; a submit gets more, by the size of its body.
    """

    connect: float = 10.0
    read: float = 60.0
    write: float = 60.0
    total: float = 120.0


class Config(NamedTuple):
    """A client's settings, resolved and checked."""

    token: Token | None
    base_url: str
    timeouts: Timeouts = Timeouts()
    max_retries: int = 3
    max_connections: int = 100

    @property
    def loopback(self) -> bool:
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def balance_url(self) -> str:
        origin = BALANCE_ORIGIN if self.base_url == BASE_URL else origin_of(self.base_url)
        return origin + BALANCE_PATH

    def url(self, *segments: str) -> str:
        """An API address; model ids keep their slashes, all else is escaped."""
        return "/".join([self.base_url, "v1", *(quote(segment, safe="/:@") for segment in segments)])

    def may_see_token(self, url: str) -> bool:
        own = url.startswith(f"{self.base_url}/v1/")  # nearly always, and quick to see
        return own or origin_of(url) in (origin_of(self.base_url), origin_of(self.balance_url))

    def authorization(self) -> str:
        if self.token is None:
            raise AuthenticationError(
                "No RunComfy token.",
                cure="Pass token=..., set RUNCOMFY_API_TOKEN, or log in with the official command line.",
            )
        return Secret(f"Bearer {self.token.reveal()}")

    def unreachable_cure(self) -> str:
        """What to do where nothing answers at an address of the user's; "" at RunComfy's own."""
        if self.base_url == BASE_URL:
            return ""
        what = "the simulator, or another server," if self.loopback else "a server"
        return f"Check that {what} is running at {self.base_url}; RUNCOMFY_BASE_URL, or base_url=..., sets the address."

    def redact(self, text: str) -> str:
        return self.token.redact(text) if self.token else text

    def redact_json(self, value: object) -> object:
        """The same for every text in a JSON value, names of members included."""
        if self.token is None or isinstance(value, (int, float, type(None))):
            return value
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact(str(key)): self.redact_json(item) for key, item in value.items()}
        return [self.redact_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def _escaped(text: str) -> str:
    """As some servers write JSON: what could be markup is escaped."""
    return "".join(f"\\u{ord(character):04x}" if character in "<>&'+\"=" else character for character in text)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port and (parts.scheme, parts.port) not in (("https", 443), ("http", 80)) else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    import ipaddress  # only for an address that the user sets

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def resolve(
    *,
    token: str | None,
    base_url: str | None,
    timeout: float | Timeouts | None,
    max_retries: int,
    max_connections: int,
    environment: Mapping[str, str] = os.environ,
) -> Config:
    for name, count, least in (("max_retries", max_retries, 0), ("max_connections", max_connections, 1)):
        if type(count) is not int or count < least:
            raise ConfigurationError(f"{name} is {count!r}; it must be a whole number, {least} or more.")
    return Config(
        token=find_token(token, environment),
        base_url=clean_base_url(base_url or environment.get("RUNCOMFY_BASE_URL") or BASE_URL),
        timeouts=clean_timeouts(timeout),
        max_retries=max_retries,
        max_connections=max_connections,
    )


def clean_timeouts(timeout: float | Timeouts | None) -> Timeouts:
    if timeout is None:
        return Timeouts()
    if isinstance(timeout, (int, float)) and not isinstance(timeout, bool):
        timeout = Timeouts(connect=min(10.0, timeout), read=timeout, write=timeout, total=2 * timeout)
    if not isinstance(timeout, Timeouts):
        raise ConfigurationError(f"timeout is {timeout!r}; it must be a number of seconds, or runcomfy.Timeouts.")
    phases = {name: getattr(timeout, name) for name in Timeouts.__slots__}
    for name, seconds in phases.items():
        if not (isinstance(seconds, (int, float)) and seconds > 0):
            raise ConfigurationError(f"timeout is {seconds!r} ({name}); it must be a number of seconds above 0.")
    return Timeouts(**{name: min(seconds, LONGEST) for name, seconds in phases.items()})


def clean_base_url(text: str) -> str:
    if not isinstance(text, str):
        raise ConfigurationError(f"The base URL {text!r} is not a text.")
    text = text.strip()
    if not text.isascii() or any(character.isspace() for character in text):
        raise ConfigurationError(f"The base URL {text!r} holds characters no URL may have.")
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("https", "http") or not parts.hostname or port == -1:
        raise ConfigurationError(f"The base URL {text!r:.200} is not an https:// address{_nearest_address(text)}.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError("The base URL may hold scheme, host, port and path only.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError(f"The base URL {text!r} would send the token unencrypted; use https://.")
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path.removesuffix('/v1')}"


def _nearest_address(text: str) -> str:
    """The address that the user may have meant without a scheme."""
    if "://" in text or not text:
        return ""
    scheme = "http" if is_loopback(urlsplit(f"//{text}").hostname or "") else "https"
    return f"; write {scheme}://{text:.200}" + (", which is allowed for this computer" if scheme == "http" else "")


def find_token(token: str | None, environment: Mapping[str, str]) -> Token | None:
    if token is not None:
        return Token(token)
    for name in TOKEN_VARIABLES:
        if environment.get(name, "").strip():
            return Token(environment[name], name)
    return read_token_file(token_file(environment))


def token_file(environment: Mapping[str, str]) -> Path:
    """Where the official command line keeps its token (from its released source)."""
    if folder := environment.get("RUNCOMFY_CONFIG_DIR"):
        return Path(folder) / "token.json"
    if folder := environment.get("XDG_CONFIG_HOME"):
        return Path(folder) / "runcomfy" / "token.json"
    return Path.home() / ".config" / "runcomfy" / "token.json"


def read_token_file(path: Path) -> Token | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise ConfigurationError(f"{path} is not JSON; log in again with the official command line.") from None
    access = value.get("access_token") if isinstance(value, dict) else None
    return Token(access, str(path)) if isinstance(access, str) and access.strip() else None
