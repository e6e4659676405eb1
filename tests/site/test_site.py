"""The site builds without a warning, loads nothing from elsewhere, leads everywhere, shows hostile texts as text."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.hostile_store import MARKUP, hostile_store
from tests.support.pages import Seen, read_html
from tests.support.store import copy_models

pytestmark = pytest.mark.long  # building it takes its time; `make docs` builds the whole
ROOT = Path(__file__).parents[2]
SOME = ("bytedance/dreamina-4-0/edit", "bytedance/dreamina-4-0/text-to-image", "kling/kling-3.0/4k/image-to-video")
# What a browser fetches by itself. A link that a reader follows is the reader's.
LOADS = {"link": "href", "object": "data", **dict.fromkeys(("script", "img", "iframe", "source", "embed"), "src")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of some models that ship and of one whose every text is hostile."""
    folder = tmp_path_factory.mktemp("checkout")
    for path in ROOT.iterdir():
        if path.suffix == ".md":
            shutil.copy(path, folder)  # a page that includes it resolves its links from where it really is
        elif not path.name.startswith(".") and path.name not in ("docs", "schemas"):
            (folder / path.name).symlink_to(path)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("reference", "__pycache__"))
    copy_models(folder / "schemas", SOME)  # `make docs` builds all of them
    hostile_store(folder / "schemas", MARKUP)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"),
            *("-D", f"runcomfy_schemas={folder / 'schemas'}", str(folder / "docs"), str(folder / "built")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "built"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Seen]:
    return {path.relative_to(site).as_posix(): read_html(path.read_text("utf-8")) for path in site.rglob("*.html")}


def test_every_model_has_a_page_that_the_start_leads_to(pages: dict[str, Seen]) -> None:
    titles = {block[1].rstrip("¶"): path for path, seen in pages.items() for block in seen.blocks if block[0] == "h1"}
    assert {*SOME, "acme/hostile/task"} <= titles.keys()
    wanted = {*titles.values()} - {"search.html"}
    reached: set[str] = set()
    waiting = ["index.html"]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        waiting += [target for target, _ in links(path, pages[path]) if target in pages]
    assert reached >= wanted


def test_links_within_the_site_resolve(site: Path, pages: dict[str, Seen]) -> None:
    anchors = {path: {attributes.get("id") for _, attributes in seen.tags} for path, seen in pages.items()}
    broken = [
        f"{path}: {target}#{fragment}"
        for path, seen in pages.items()
        for target, fragment in links(path, seen)
        if not (site / target).exists() or (fragment and target in anchors and fragment not in anchors[target])
    ]
    assert not broken


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[str, Seen]) -> None:
    loaded = [
        f"{path}: {attributes[LOADS[tag]]}"
        for path, seen in pages.items()
        for tag, attributes in seen.tags
        if tag in LOADS and re.match(r"(?:[a-z]+:)?//", attributes.get(LOADS[tag]) or "")
    ]
    assert not loaded
    for path in site.rglob("*.css"):
        assert not re.search(r"(?:url\(\s*[\"']?|@import\s*[\"']?)(?:https?:)?//", path.read_text("utf-8")), path


def test_the_navigation_unfolds_only_where_one_is(pages: dict[str, Seen]) -> None:
    """The size of a page must not grow with the catalog."""
    here = [attributes.get("href") for _, attributes in pages["cli.html"].tags]
    assert "reference/all-models.html" in here
    assert not [each for each in here if each and "dreamina" in each]
    there = [attributes.get("href") for _, attributes in pages["reference/bytedance/dreamina_4_0/edit.html"].tags]
    assert "text_to_image.html" in there


def test_hostile_texts_make_no_markup(pages: dict[str, Seen]) -> None:
    seen = pages["reference/acme/hostile/task.html"]
    plain = pages["reference/bytedance/dreamina_4_0/edit.html"]
    # Anything beyond what an honest page is made of came out of a text.
    assert {tag for tag, _ in seen.tags} <= {tag for tag, _ in plain.tags}
    assert not [attributes for _, attributes in seen.tags if any(name.startswith("on") for name in attributes)]
    scripts = [attributes for tag, attributes in seen.tags if tag == "script"]
    assert len(scripts) == len([tag for tag, _ in plain.tags if tag == "script"])
    for _, attributes in seen.tags:
        assert not (attributes.get("href") or "").startswith(("javascript:", "https://evil", "http://evil", "mailto:"))


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# What is wider than its frame, of the page itself and of its tables; code may be scrolled.
MEASURE = """
<body><iframe src="{url}" style="width: 390px; height: 900px; border: 0"></iframe><script>
onload = () => {{
    const page = document.querySelector("iframe").contentDocument
    const boxes = [page.documentElement, ...page.querySelectorAll(".table-wrapper")]
    const wide = boxes.filter((each) => each.scrollWidth > each.clientWidth + 1)
    document.title = boxes.length + " measured, wide: " + wide.map((each) => each.innerText.slice(0, 60)).join("; ")
}}
</script></body>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser")
@pytest.mark.parametrize("model", ["bytedance/dreamina_4_0/edit", "bytedance/dreamina_4_0/text_to_image"])
def test_a_model_is_readable_on_a_telephone(site: Path, tmp_path: Path, model: str) -> None:
    frame = tmp_path / "frame.html"
    frame.write_text(MEASURE.format(url=(site / f"reference/{model}.html").as_uri()), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"]
    command = [str(CHROMIUM), *options, f"--user-data-dir={tmp_path / 'profile'}", frame.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    title = re.search(r"<title>(\d+) measured, wide: (.*?)</title>", shown)
    assert title, shown
    assert int(title[1]) >= 3
    assert not title[2], title[2]


def links(path: str, seen: Seen) -> list[tuple[str, str]]:
    """Where a page's links lead to, as (path of the site, fragment)."""
    found = []
    for tag, attributes in seen.tags:
        href = attributes.get("href") or ""
        parts = urlsplit(href)
        if tag != "a" or parts.scheme or parts.netloc:
            continue
        target = Path(path).parent.joinpath(unquote(parts.path)) if parts.path else Path(path)
        clean = [*target.parts]
        while ".." in clean:
            at = clean.index("..")
            del clean[at - 1 : at + 1]
        found.append(("/".join(clean), unquote(parts.fragment)))
    return found
