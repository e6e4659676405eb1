"""A real Chromium for tests of pages; tests are skipped aloud where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.support.npm import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

# Without the flags about the background every start waits for the network.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


# Of npm, for a machine without a browser: it needs no root, and brings the libraries along that Chromium needs.
PACKAGE = "@sparticuz/chromium@147.0.2"
UNPACK = 'import chromium from "@sparticuz/chromium"; console.log(await chromium.executablePath())'


def find_chromium() -> tuple[str, dict[str, str]]:
    """A browser and the environment it starts in: the one RUNCOMFY_TEST_BROWSER names, one on the path, or npm's."""
    named = os.environ.get("RUNCOMFY_TEST_BROWSER")
    path = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    return (path, dict(os.environ)) if path is not None else _from_npm()


def _from_npm() -> tuple[str, dict[str, str]]:
    folder = installed(PACKAGE)
    unpacked = folder / "unpacked"
    # The package unpacks its libraries where it believes to run in a function of AWS, and all of it into TMPDIR.
    environment = {**os.environ, "TMPDIR": str(unpacked), "AWS_LAMBDA_JS_RUNTIME": "nodejs22.x"}
    with FileLock(folder / ".unpacking"):
        unpacked.mkdir(exist_ok=True)
        command = ["node", "--input-type=module", "-e", UNPACK]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"needs a Chromium: none on the path, and npm's cannot be unpacked: {done.stderr[-200:]}")
    libraries = {"LD_LIBRARY_PATH": str(unpacked / "al2023" / "lib"), "FONTCONFIG_PATH": str(unpacked / "fonts")}
    return done.stdout.strip(), {**os.environ, **libraries}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own."""
    path, environment = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS), env={**environment})
        try:
            yield browser
        finally:
            browser.close()
