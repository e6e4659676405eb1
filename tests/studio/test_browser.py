"""The studio's pages in a real Chromium: what people see, type, drop and press."""

from __future__ import annotations

import io
import json
import re
import socket
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import runcomfy
from PIL import Image
from runcomfy._index import PACKAGE
from runcomfy_client.client import AsyncClient
from runcomfy_client.describe.json_schema import input_schema
from runcomfy_client.describe.snippets import example_input
from runcomfy_client.packages import FORMAT, ModelPackage
from runcomfy_client.schema import Array, Enum, Media, MediaRule, ModelSpec, Object, Property, String
from runcomfy_client.schema.nodes import json_equal
from runcomfy_simulator.media.spec import OutputSpec
from runcomfy_simulator.media.video import make_video
from runcomfy_studio import form

from tests.support.browser import chromium
from tests.support.hostile_store import MARKUP, TEXTS
from tests.support.npm import installed
from tests.support.oracle import Maker
from tests.support.studio import StudioThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, FilePayload, Page
    from runcomfy_simulator import Simulator

MODEL = "bytedance/dreamina-4-0/text-to-image"
EDIT = "bytedance/dreamina-4-0/edit"
OTHER = "bytedance/seedream-5.0-pro/text-to-image"
HOSTILE = "acme/hostile/task"
PROMPT = "#f-0"
SAMPLE = (MODEL, EDIT, "kling/kling-video-o3/pro/reference-to-video", "elevenlabs/elevenlabs/music-generation")
AXE = "axe-core@4.14.1"
PHONE = {"width": 390, "height": 844}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of a studio; what it complains of, and what it loads from elsewhere, fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(studio: StudioThread, path: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(f"a dialog: {dialog.message}"))
        page.on("request", lambda request: None if request.url.startswith(studio.url) else faults.append(request.url))
        page.goto(studio.link)
        page.wait_for_url(f"{studio.url}/")
        if path != "/":
            page.goto(studio.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


def payload_of(page: Page, model_id: str) -> dict[str, object]:
    """What the form in the browser would send, as the studio reads it."""
    pairs = page.evaluate("[...new FormData(document.getElementById('form'))].filter(([, v]) => typeof v === 'string')")
    return form.read(PACKAGE.known_spec(model_id).input, form.clean([(name, text) for name, text in pairs])).payload


def settled(page: Page, work: Callable[[], object], path: str) -> None:
    """Do it, and wait until the studio has answered and the page shows the answer."""
    page.evaluate(
        """path => { window.answered = new Promise(resolve => document.addEventListener("htmx:finally:request",
            event => { if (event.detail.ctx.request.action.startsWith(path)) resolve(); })); }""",
        path,
    )
    work()
    page.evaluate("window.answered")


def open_example(open_page: Callable[..., Page], studio: StudioThread, model_id: str) -> Page:
    """A model's page with its example: there may be a draft from another test."""
    page = open_page(studio, f"/models/{model_id}")
    settled(page, lambda: page.click("text=Example"), "/form/")
    return page


def try_model(page: Page, studio: StudioThread, model_id: str, count: int) -> None:
    """The example, then random payloads by way of the JSON: form, shown JSON and verdict agree with the client."""
    spec = PACKAGE.known_spec(model_id)
    page.goto(f"{studio.url}/models/{model_id}")
    example = example_input(spec)
    assert json_equal(json.loads(page.input_value("#json")), example)
    assert json_equal(payload_of(page, model_id), example)
    for payload in Maker(input_schema(spec), 3).payloads(count):
        if not isinstance(payload, dict):
            continue
        text = json.dumps(payload)
        settled(page, partial(page.fill, "#json", text), "/json/")
        assert json_equal(payload_of(page, model_id), payload), model_id
        report = runcomfy.validate(model_id, payload)
        assert page.locator("#verdict .lines li.error").count() == len(report.errors), (model_id, payload)
        summary = page.inner_text("#verdict .summary")
        assert ("problem" in summary) is not report.ok


def test_forms_hold_what_the_json_says_and_show_the_clients_verdict(
    open_page: Callable[..., Page], studio: StudioThread
) -> None:
    page = open_page(studio, "/")
    for model_id in SAMPLE:
        try_model(page, studio, model_id, 2)


@pytest.mark.long
def test_all_models(open_page: Callable[..., Page], studio: StudioThread) -> None:
    page = open_page(studio, "/")
    for model_id in PACKAGE.model_ids():
        try_model(page, studio, model_id, 17)


def test_typing_is_checked_kept_and_shown_as_json(open_page: Callable[..., Page], studio: StudioThread) -> None:
    page = open_example(open_page, studio, MODEL)
    settled(page, lambda: page.fill("#f-2", "7"), "/form/")
    assert "must be from 0 to 1" in page.inner_text("#e-f-2")
    assert page.get_attribute("#f-2", "aria-invalid") == "true"
    assert "1 problem" in page.inner_text("#verdict")
    page.click("#run")
    page.wait_for_selector("#f-2:focus")
    # The slider sets the number; the number field is what is sent.
    settled(page, lambda: page.locator("[data-slides=f-2]").fill("0.25"), "/form/")
    assert page.input_value("#f-2") == "0.25"
    settled(page, lambda: page.fill(PROMPT, "two\nlines"), "/form/")
    assert json.loads(page.input_value("#json"))["prompt"] == "two\nlines"
    assert page.inner_text("#verdict .summary") == "Ready to run"
    page.reload()
    assert page.input_value(PROMPT) == "two\nlines"
    assert page.input_value("#f-2") == "0.25"
    settled(page, lambda: page.fill("#json", '{"prompt": '), "/json/")
    assert "is not JSON" in page.inner_text("#json-problem")
    assert page.input_value(PROMPT) == "two\nlines"


def picture(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 90).convert("RGB").save(file, "PNG")
    return file.getvalue()


LOADED_WIDTH = "async image => { await image.decode(); return image.naturalWidth }"


def test_a_dropped_file_is_shown_and_checked_in_the_schemas_words(
    open_page: Callable[..., Page], studio: StudioThread
) -> None:
    page = open_page(studio, f"/models/{EDIT}")
    settled(page, lambda: page.click("text=Empty"), "/form/")
    settled(page, lambda: page.click("text=Add one"), "/form/")
    page.wait_for_selector("#f-0-0:focus")
    wide: FilePayload = {"name": "an ü%41 picture.png", "mimeType": "image/png", "buffer": picture(640, 64)}
    settled(page, lambda: page.set_input_files("[data-uploads=f-0-0]", wide), "/form/")
    assert page.inner_text(".preview .name") == "an ü%41 picture.png"
    rule = next(
        rule.message
        for known in PACKAGE.known_spec(EDIT).input.properties.values()
        for rule in getattr(known.node, "rules", ()) or getattr(getattr(known.node, "items", None), "rules", ())
        if str(rule) == "width/height <= 3"
    )
    assert rule
    assert rule in page.inner_text("#e-f-0-0")
    assert page.locator(".preview img").evaluate(LOADED_WIDTH) == 640


def test_a_job_runs_to_its_picture(open_page: Callable[..., Page], studio: StudioThread, simulator: Simulator) -> None:
    before = simulator.accepted
    page = open_example(open_page, studio, MODEL)
    page.dblclick("#run")
    page.wait_for_selector(".job .state.completed >> nth=0")
    page.wait_for_timeout(200)
    assert simulator.accepted == before + 1
    image = page.locator("#jobs .job").first.locator("img")
    image.wait_for()
    assert image.evaluate(LOADED_WIDTH) > 0
    page.locator("#jobs .job").first.locator("text=Open").click()
    page.click("text=Open with these settings")
    assert "settings of a result" in page.inner_text(".banner")


@pytest.mark.long
def test_the_gallery_compares_two(open_page: Callable[..., Page], studio: StudioThread) -> None:
    page = open_example(open_page, studio, MODEL)
    for scale in ("0.1", "0.9"):
        settled(page, partial(page.fill, "#f-2", scale), "/form/")
        before = page.locator(".job .state.completed").count()
        page.click("#run")
        page.wait_for_selector(f".job .state.completed >> nth={min(before, 2)}")
        page.wait_for_timeout(300)
    page.goto(f"{studio.url}/gallery")
    for each in page.locator(".tile input[type=checkbox]").all()[:2]:
        each.check()
    page.click("text=Compare two")
    row = page.locator("tr.differs", has_text="scale")
    assert sorted(row.locator("td").all_inner_texts()) == ["0.1", "0.9"]


def small_video() -> bytes:
    """Eight seconds of WebM, which every Chromium plays."""
    spec = OutputSpec(
        kind="video",
        count=1,
        width=64,
        height=64,
        seconds=8,
        frame_rate=12,
        suffix="webm",
        sample_rate=0,
        sound=False,
        caption="",
        title="",
        seed=1,
    )
    return make_video(spec, 0)


@pytest.mark.long
def test_a_video_plays_on_while_the_card_beside_it_is_swapped(
    open_page: Callable[..., Page], studio: StudioThread, simulator: Simulator
) -> None:
    page = open_page(studio, f"/models/{OTHER}")
    settled(page, lambda: page.click("text=Example"), "/form/")
    page.click("#run")
    page.wait_for_selector(".job .state.completed")
    # The result becomes a video: what a page shows of a file goes by its content.
    stored = next(result for result in studio.results() if result.model_id == OTHER)
    stored.files[0].path.write_bytes(small_video())
    record = json.loads((stored.folder / "result.json").read_text("utf-8"))
    record["files"][0]["size"] = stored.files[0].path.stat().st_size
    (stored.folder / "result.json").write_text(json.dumps(record), "utf-8")

    page.reload()
    simulator.script("job 1: queue 60")
    try:
        page.click("#run")
        page.wait_for_selector(".job .state.in_queue")
        page.evaluate("""async () => {
              window.video = document.querySelector(".job video");
              window.swaps = 0;
              document.addEventListener("htmx:after:swap", () => { window.swaps += 1; });
              window.video.muted = true;
              await window.video.play();
              window.begun = window.video.currentTime;
            }""")
        neighbour = page.locator(".job:has(.in_queue)")
        neighbour.evaluate("card => { window.neighbour = card; }")
        page.wait_for_timeout(1500)  # cards are asked for each second
        found = page.evaluate("""() => ({
              swapped: window.swaps > 0 && !document.contains(window.neighbour),
              same: document.querySelector(".job video") === window.video,
              paused: window.video.paused,
              played: window.video.currentTime - window.begun,
            })""")
        assert neighbour.count() == 1
        neighbour.locator("text=Cancel").click()
        page.wait_for_selector(".job .state.cancelled")
    finally:
        simulator.clear_script()
    assert (found["swapped"], found["same"], found["paused"]) == (True, True, False)
    assert found["played"] > 0.8


@pytest.fixture(scope="module")
def paying(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioThread]:
    folder = tmp_path_factory.mktemp("paying")
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        StudioThread(folder, listener, simulator.url, simulator.token) as running,
    ):
        yield running


def test_the_real_api_asks_and_is_used_by_keyboard_alone(
    open_page: Callable[..., Page], paying: StudioThread, simulator: Simulator
) -> None:
    before = simulator.accepted
    page = open_page(paying, "/")

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
                return
        raise AssertionError(selector)

    tab_to("[name=q]")
    # On a busy computer the first word may be searched alone before, and its list be replaced later.
    with page.expect_response(re.compile(r"q=dremaina(\+|%20)text")):
        page.keyboard.type("dremaina text")
    page.wait_for_selector("text=instead of")
    page.wait_for_function("!document.querySelector('.htmx-request')")
    tab_to(".models a")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{MODEL}")
    tab_to(PROMPT)
    page.keyboard.press("Control+a")
    settled(page, lambda: page.keyboard.type("a fox"), "/form/")
    tab_to("#run")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert "not a quote" in page.inner_text("dialog")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="hidden")
    assert simulator.accepted == before
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] .primary:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector(".job .state.completed")
    assert simulator.accepted == before + 1


def check_pages(page: Page, studio: StudioThread, paths: Sequence[str]) -> None:
    """No fault that axe finds, and nothing wider than a phone."""
    axe = (installed(AXE) / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    for path in paths:
        page.goto(studio.url + path)
        if path == f"/models/{EDIT}":
            settled(page, partial(page.fill, "#f-3", "7"), "/form/")
        page.evaluate(axe)
        found = page.evaluate(f"axe.run({{runOnly: {json.dumps(TAGS)}}})")
        faults = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]
        assert not faults, (path, faults)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def all_paths(studio: StudioThread) -> list[str]:
    paths = ["/", f"/models/{EDIT}", "/gallery", "/pending", "/gallery?show=failed", "/compare"]
    return [*paths, *[f"/results/{each.request_id}" for each in studio.results()[:1]]]


def test_pages_pass_axe_and_fit_a_phone(open_page: Callable[..., Page], studio: StudioThread) -> None:
    """Half of the pages in each scheme; the long run takes all in both."""
    for scheme, paths in (("light", all_paths(studio)[::2]), ("dark", all_paths(studio)[1::2])):
        check_pages(open_page(studio, "/", color_scheme=scheme, viewport=PHONE), studio, paths)


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_pages_pass_axe_and_fit_a_phone(scheme: str, open_page: Callable[..., Page], studio: StudioThread) -> None:
    paths = [*all_paths(studio), *[f"/models/{each}" for each in PACKAGE.model_ids()]]
    check_pages(open_page(studio, "/", color_scheme=scheme, viewport=PHONE), studio, paths)


def test_pages_of_other_origins_submit_nothing(browser: Browser, studio: StudioThread, simulator: Simulator) -> None:
    """A page on another port of this computer, whose requests carry the studio's cookie."""
    before = simulator.accepted
    target = f"{studio.url}/run/{MODEL}"
    body = f"key=studio-x&f.0=evil&X-Studio-Key={'0' * 48}"
    page_text = f"""<!doctype html><form id="f" method="post" action="{target}"><input name="f.0" value="evil">
    <input name="key" value="studio-x"></form><img src="{studio.url}/gallery"><script>
    fetch("{target}", {{method: "POST", mode: "no-cors", credentials: "include", body: "{body}",
      headers: {{"Content-Type": "application/x-www-form-urlencoded"}}}}).catch(() => {{}})
      .finally(() => document.getElementById("f").submit());</script>"""

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page_text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = browser.new_context()
        page = context.new_page()
        page.goto(studio.link)
        page.wait_for_url(f"{studio.url}/")
        statuses: list[int] = []
        page.on("response", lambda response: statuses.append(response.status) if target in response.url else None)
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        page.wait_for_url(target)
        context.close()
        server.shutdown()
    assert set(statuses) == {403}
    assert simulator.accepted == before


def hostile_spec(texts: Sequence[str]) -> ModelSpec:
    """A model of which every text wants to be markup."""
    properties: dict[str, Property] = {}
    for number, text in enumerate(texts):
        rules = (MediaRule.parse("file_size_mb<", 1, text), MediaRule.parse(f"x{text}", text, text))
        properties[f"text {number} {text}"] = Property(String(), title=text, description=text, default=text)
        properties[f"enum {number}"] = Property(Enum((text, f"{text}{text}?")), default=text)
        properties[f"media {number}"] = Property(Array(Media("image", rules=rules)))
        properties[f"object {number}"] = Property(Object({f"inner {text}": Property(String(), description=text)}))
    spec = ModelSpec(HOSTILE, Object(properties), display_name=MARKUP[0], categories=(MARKUP[0],), price_unit=MARKUP[0])
    spec.base_price_usd = 1.0
    return spec


@pytest.mark.parametrize("texts", [MARKUP[:4], pytest.param(TEXTS, marks=pytest.mark.long)], ids=["some", "all"])
def test_hostile_schemas_are_text_and_nothing_else(
    texts: Sequence[str],
    open_page: Callable[..., Page],
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = hostile_spec(texts)
    package = ModelPackage("hostilemodels", format=FORMAT, models={HOSTILE: "acme.task"})
    modules: dict[str, dict[str, object]] = {
        "": {"AsyncRunComfy": AsyncClient},
        "._index": {"PACKAGE": package},
        ".specs.acme.task": {"MODEL": spec},
    }
    for name, values in modules.items():
        module = ModuleType(f"hostilemodels{name}")
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    settings = {"simulate": True, "package": "hostilemodels"}
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        StudioThread(tmp_path, listener, simulator.url, simulator.token, **settings) as running,
    ):
        page = open_page(running, f"/models/{HOSTILE}")
        assert json_equal(json.loads(page.input_value("#json")), example_input(spec))
        full = dict.fromkeys(spec.input.properties, "x")
        settled(page, lambda: page.fill("#json", json.dumps(full)), "/json/")
        pairs = page.evaluate("[...new FormData(document.getElementById('form'))]")
        data = form.clean([(name, text) for name, text in pairs])
        assert json_equal(form.read(spec.input, data).payload, full)
        for path in (f"/models/{HOSTILE}", "/", "/?q=script"):
            page.goto(running.url + path)
            assert page.evaluate("document.scripts.length") == 2
            assert page.evaluate("document.querySelectorAll('[onerror], [onclick], [style], h1 *').length") == 0
