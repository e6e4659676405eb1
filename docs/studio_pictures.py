"""Makes docs/images/studio-*.png: the studio's pages in a real browser, on the simulator.

python docs/studio_pictures.py
"""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from runcomfy_simulator import Simulator  # noqa: E402

from tests.support.browser import chromium  # noqa: E402
from tests.support.studio import StudioThread  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = ROOT / "docs" / "images"
TEXT = "bytedance/dreamina-4-0/text-to-image"
EDIT = "bytedance/dreamina-4-0/edit"
VIDEO = "kling/kling-3.0/standard/text-to-video"
PROMPTS = (
    "A paper moon over a paper sea",
    "A red fox in the first snow",
    "A lighthouse at the end of a quiet bay",
    "Terraced fields after the rain",
    "A night train crossing a viaduct",
    "A desert caravan at dawn",
)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(ROOT / "schemas", queue_seconds=0.2, run_seconds=0.2) as sim,
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
        StudioThread(Path(folder), one, sim.url, sim.token, simulate=True) as free,
        StudioThread(Path(folder) / "paid", other, sim.url, sim.token, max_cost=5.0) as paid,
        chromium() as browser,
    ):
        page = opened(browser, free, height=1020)
        for prompt in PROMPTS:
            run(page, free, prompt)
        page.wait_for_timeout(300)
        take(page, "studio")
        verdict(browser, free, Path(folder))
        phone(browser, free)
        gallery(browser, free)
        dialog(browser, paid)


def opened(browser: Browser, studio: StudioThread, *, dark: bool = False, width: int = 1280, height: int = 880) -> Page:
    scale = 2 if width < 500 else 1
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        device_scale_factor=scale,
        locale="en-GB",
    )
    page = context.new_page()
    page.goto(studio.link)
    page.wait_for_url(f"{studio.url}/")
    return page


def run(page: Page, studio: StudioThread, prompt: str) -> None:
    page.goto(f"{studio.url}/models/{TEXT}")
    page.fill("#f-0", prompt)
    page.wait_for_timeout(600)
    page.click("#run")
    page.wait_for_selector("#jobs .job .spin")
    page.wait_for_selector("#jobs .job .spin", state="detached")


def verdict(browser: Browser, studio: StudioThread, folder: Path) -> None:
    """A picture that is too wide, and a number out of its bounds."""
    file = folder / "harbour.png"
    Image.open(IMAGES / "simulator-picture.png").convert("RGB").crop((0, 40, 960, 330)).save(file)
    page = opened(browser, studio)
    page.goto(f"{studio.url}/models/{EDIT}")
    page.click("text=Empty")
    page.wait_for_timeout(400)
    page.click("text=Add one")
    page.set_input_files("[data-uploads=f-0-0]", file)
    page.wait_for_selector(".preview img")
    page.fill("#f-1", "Make it a foggy morning")
    page.fill("#f-3", "1.5")
    page.wait_for_timeout(700)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    take(page, "studio-verdict")


def phone(browser: Browser, studio: StudioThread) -> None:
    page = opened(browser, studio, dark=True, width=390, height=760)
    page.goto(f"{studio.url}/models/{VIDEO}")
    page.wait_for_timeout(400)
    take(page, "studio-phone")


def gallery(browser: Browser, studio: StudioThread) -> None:
    page = opened(browser, studio, dark=True)
    page.goto(f"{studio.url}/gallery")
    page.wait_for_timeout(1200)
    take(page, "studio-gallery")


def dialog(browser: Browser, studio: StudioThread) -> None:
    page = opened(browser, studio)
    page.goto(f"{studio.url}/models/{TEXT}")
    page.click("#run")
    page.wait_for_selector("dialog[open]")
    page.wait_for_timeout(300)
    take(page, "studio-dialog")


def take(page: Page, name: str) -> None:
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    # Few colours are enough for a page, and a repository keeps every version.
    Image.open(path).convert("RGB").quantize(192, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
