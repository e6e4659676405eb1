"""Who may speak to the studio: what is refused, and that nothing is submitted by it."""

from __future__ import annotations

import hashlib
import json
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import runcomfy_studio
from runcomfy_studio.security import PAGE_KEY
from runcomfy_studio.storage import Storage, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runcomfy_simulator import Simulator

    from tests.support.studio import StudioCaller, StudioThread

MODEL = "bytedance/dreamina-4-0/text-to-image"
STATIC = Path(runcomfy_studio.__file__).parent / "static"


@pytest.fixture
def unchanged(simulator: Simulator) -> Iterator[None]:
    """Nothing is submitted in the test."""
    before = simulator.accepted
    yield
    assert simulator.accepted == before


def good_form(caller: StudioCaller) -> dict[str, str]:
    return {**caller.form_of(f"/models/{MODEL}"), "f.0": "a fox"}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"Host": "evil.example", "Origin": "http://evil.example"}, "another name that leads here"),
        ({"Host": "127.0.0.1:1", "Origin": "http://127.0.0.1:1"}, "another port"),
        ({"Host": ""}, "no host"),
        ({"Sec-Fetch-Site": "cross-site"}, "a page of another site"),
        ({"Sec-Fetch-Site": "same-site"}, "a page of another port"),
        ({"Origin": "https://evil.example"}, "another origin"),
        ({"Origin": "null"}, "a sandboxed frame"),
        ({"Cookie": "x=y"}, "no cookie"),
        ({"Cookie": "runcomfy-studio-1=" + "0" * 48}, "another studio's cookie"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pages_and_posts_are_refused_to(
    studio: StudioThread, caller: StudioCaller, headers: dict[str, str], what: str
) -> None:
    data = good_form(caller)
    sent = httpx.Headers(caller.headers)
    sent.update({"Cookie": "; ".join(f"{name}={value}" for name, value in caller.cookies.items()), **headers})
    with httpx.Client(base_url=studio.url, trust_env=False) as stranger:
        assert stranger.get(f"/models/{MODEL}", headers=sent).status_code in (400, 403), what
        assert stranger.post(f"/run/{MODEL}", data=data, headers=sent).status_code in (400, 403), what


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("missing", ["Origin", PAGE_KEY])
def test_nothing_is_changed_without(caller: StudioCaller, missing: str) -> None:
    data = good_form(caller)
    del caller.headers[missing]
    for path in (f"/run/{MODEL}", f"/form/{MODEL}", "/uploads", "/jobs/x/cancel"):
        assert caller.post(path, data=data).status_code == 403
    assert caller.get("/").status_code == 200


@pytest.mark.usefixtures("unchanged")
def test_a_plain_form_of_another_page_submits_nothing(studio: StudioThread, caller: StudioCaller) -> None:
    """Even one that knows the cookie, as a server on another port of this computer does."""
    sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in caller.cookies.items()), "Origin": studio.url}
    reply = httpx.post(f"{studio.url}/run/{MODEL}", data=good_form(caller), headers=sent, trust_env=False)
    assert reply.status_code == 403


def test_the_link_sets_a_cookie_that_scripts_and_other_sites_do_not_get(studio: StudioThread) -> None:
    with httpx.Client(trust_env=False) as browser:
        reply = browser.get(studio.link, headers={"Sec-Fetch-Site": "cross-site"})
        assert reply.status_code == 200
        (cookie,) = reply.headers.get_list("set-cookie")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert browser.get(studio.link[:-1] + "x").status_code == 403
        assert browser.get(f"{studio.url}/").status_code == 200


def test_every_answer_closes_the_page_to_others(caller: StudioCaller) -> None:
    for path in ("/", f"/models/{MODEL}", "/gallery", "/static/studio.js", "/nowhere"):
        headers = caller.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_pages_hold_no_inline_script_style_or_foreign_address(caller: StudioCaller) -> None:
    for path in ("/", f"/models/{MODEL}", "/gallery", "/pending"):
        text = caller.get(path).text
        assert " style=" not in text
        assert " onclick=" not in text
        assert text.count("<script") == 2
        assert 'src="http' not in text
        assert 'href="http' not in text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/uploads/..%2f..%2fsecret",
        "/uploads/" + "0" * 64,
        "/results/..%2f..%2fetc/1",
        "/results/%2e%2e/1",
        "/models/..%2f..%2fetc%2fpasswd",
        "/jobs/..%2f..%2fsecret",
    ],
)
def test_paths_lead_nowhere_else(studio: StudioThread, caller: StudioCaller, path: str) -> None:
    # As it stands: httpx would tidy it up.
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{studio.port}", "Connection: close"]
    lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in caller.cookies.items()))
    with socket.create_connection(("127.0.0.1", studio.port)) as stream:
        stream.sendall("\r\n".join([*lines, "", ""]).encode())
        reply = b"".join(iter(lambda: stream.recv(65536), b""))
    assert reply.split()[1] in (b"404", b"200"), reply[:200]
    assert b"make_studio" not in reply
    assert b"root:" not in reply
    assert (studio.settings.folder / "secret").read_bytes() not in reply
    if reply.split()[1] == b"200":
        assert b"not on record" in reply


def test_only_this_computer_can_reach_it(studio: StudioThread) -> None:
    assert studio.studio.settings.port == studio.port
    assert {each.getsockname()[0] for each in studio.sockets} == {"127.0.0.1"}


def test_the_secret_is_the_users_alone_and_survives(tmp_path: Path) -> None:
    secret = Storage(tmp_path / "state").secret()
    path = tmp_path / "state" / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    assert Storage(tmp_path / "state").secret() == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_htmx_is_the_file_that_was_reviewed() -> None:
    facts = json.loads((STATIC / "vendor" / "htmx.json").read_text(encoding="utf-8"))
    data = (STATIC / "vendor" / facts["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == facts["sha256"]
    assert facts["version"].encode() in data


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("photo.png", "photo.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\dir\\a.png", "a.png"),
        ("..", "file"),
        ("", "file"),
        ("-rf", "rf"),
        ("a\nb\0c<d>.png", "a_b_c_d_.png"),
        ("фото 🦊.png", "фото 🦊.png"),
    ],
)
def test_names_of_dropped_files_are_made_safe(name: str, kept: str) -> None:
    assert safe_name(name) == kept
    assert len(safe_name("ü" * 500 + ".png").encode()) <= 100


@pytest.mark.parametrize(
    "text",
    [
        '{"prompt": ' + "[" * 5000 + "]" * 5000 + "}",
        '{"prompt": ' + '{"a": ' * 300 + "1" + "}" * 300 + "}",
        '{"\\ud800": "\\ud800", "prompt": "\\ud800"}',
        '{"prompt": "x", "scale": 1e999, "n": NaN}',
        '{"prompt": "x", "scale": ' + "9" * 5000 + "}",
        '{"prompt": "</textarea></hx-partial><hx-partial hx-target=\\"body\\">x</hx-partial>"}',
        '{"prompt": "x", "prompt": "y"}',
        "[1]",
        "null",
        "",
        '{"__proto__": 1, "constructor": {"prototype": 2}}',
    ],
    ids=range(11),
)
def test_no_json_breaks_the_page(caller: StudioCaller, text: str) -> None:
    reply = caller.post(f"/json/{MODEL}", data={"json": text, "key": "studio-x"})
    assert reply.status_code == 200
    assert "<hx-partial hx-target=&#34;body" not in reply.text.replace("&lt;", "")
    assert '<hx-partial hx-target="body">' not in reply.text
    assert caller.get(f"/models/{MODEL}").status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"f.0=%ff", b"\xff\xfe", b"=&=&=", b"f.0=" + b"a" * 2_000_000, b"&".join(b"f.9%d=1" % n for n in range(60_000))],
    ids=["bytes", "binary", "empty", "long", "many"],
)
def test_no_form_breaks_the_page(caller: StudioCaller, body: bytes) -> None:
    reply = caller.post(f"/form/{MODEL}", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status_code in (200, 400)
    assert caller.get(f"/models/{MODEL}").status_code == 200


def test_a_journal_that_cannot_be_read_is_reported(caller: StudioCaller, studio: StudioThread) -> None:
    path = Path(studio.settings.journal)
    kept = path.read_bytes() if path.exists() else None
    try:
        path.write_bytes(b"this is no database" * 100)
        reply = caller.get("/pending")
        assert reply.status_code == 503
        assert "journal" in reply.text
        assert str(path) not in reply.text
    finally:
        path.unlink()
        if kept is not None:
            path.write_bytes(kept)
