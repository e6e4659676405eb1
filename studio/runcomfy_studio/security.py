"""Who may speak to the studio: the browser of the user who started it, from the studio's own pages.

The studio spends money, so every request has to pass. What each check keeps out:

    Host            a foreign name that was made to lead here (DNS rebinding)
    Sec-Fetch-Site  requests that a page of another site, or of another port of this computer, has its visitors send
    Origin          the same, for browsers that do not send the above
    the cookie      everyone who was not given the link of the terminal; it is set by that link
    the page's key  cookies do not know ports, so another server on this computer is sent ours; the key stands in the
                    pages alone, and nothing is changed without it

Links, cookie and keys are made of one secret, which lies in a file that only the user may read.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LAUNCH = "/launch/"
PAGE_KEY = "X-Studio-Key"
_READING = ("GET", "HEAD")

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": then browsers send "Origin: null" with our own posts.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Keys:
    """The texts that are made of the secret, each for one purpose."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.launch = self.sign("launch")
        self.cookie = self.sign("cookie")
        self.page = self.sign("page")

    def sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:48]


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


class Guard:
    """Lets requests through that pass every check, and adds the headers that keep pages closed to others."""

    def __init__(self, app: ASGIApp, keys: Keys, port: int) -> None:
        self._app = app
        self._keys = keys
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"runcomfy-studio-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await PlainTextResponse(refusal, 403)(scope, receive, guarded)
        elif scope["path"].startswith(LAUNCH):
            await self._launch(scope)(scope, receive, guarded)
        elif not same(cookie_parser(headers.get("cookie", "")).get(self._cookie, ""), self._keys.cookie):
            await HTMLResponse(_NO_COOKIE, 403)(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "The studio answers under 127.0.0.1 and localhost only."
        site = headers.get("sec-fetch-site", "none")
        # The link of the terminal is opened from anywhere; it only sets the cookie.
        if site not in ("same-origin", "none") and not scope["path"].startswith(LAUNCH):
            return "The studio does not answer the pages of other sites."
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{hosts[0].lower()}":
            return "The studio does not answer the pages of other sites."
        if scope["method"] in _READING:
            return None
        if origin is None or not same(headers.get(PAGE_KEY, ""), self._keys.page):
            return "This did not come from a page of the studio."
        return None

    def _launch(self, scope: Scope) -> HTMLResponse:
        if scope["method"] != "GET" or not same(scope["path"].removeprefix(LAUNCH), self._keys.launch):
            return HTMLResponse(_NO_COOKIE, 403)
        # A redirect would still count as coming from where the link was opened, and the cookie would not be sent.
        response = HTMLResponse(_LAUNCHED)
        response.set_cookie(self._cookie, self._keys.cookie, path="/", httponly=True, samesite="strict")
        return response


_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>RunComfy studio</title>
<link rel="icon" href="/static/icon.svg">"""

_LAUNCHED = f"""{_HEAD}
<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Open the studio</a></p></html>"""

_NO_COOKIE = f"""{_HEAD}
<h1>This browser has no key to the studio</h1>
<p>Open the link that <code>runcomfy-client studio</code> shows in the terminal.</p></html>"""
