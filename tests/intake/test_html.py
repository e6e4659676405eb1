"""Pages as browsers save them: each must say what the same page saved as text says."""

from __future__ import annotations

import email.message
import email.policy
import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.intake import EDIT_DE, TEXT_IT, codegen, files_below

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = TEXT_IT.read_text(encoding="utf-8")
# The page's parts in its order: code (a request, a schema) and prose alternate.
PARTS = re.split(r"(^curl.*?(?:\}'|>\")$|^\{.*?^\}$)", PAGE, flags=re.DOTALL | re.MULTILINE)
HEAD = '<!DOCTYPE html>\n<!-- saved from url=(0051)https://www.runcomfy.com/ -->\n<html lang="it">'


def document(body: str, title: str = "Dreamina 4.0 API") -> str:
    style = '<style>pre{color:red} .a::after{content:"{"}</style>'
    script = "<script>window.dataLayer=[];if(1<2){push({event:'x'})}</script>"
    nav = '<nav><a href="/models">Modelli</a><svg><title>logo</title><path d="M0"/></svg></nav>'
    return (
        f"{HEAD}<head><meta charset=utf-8><title>{title}</title>{style}</head><body>{nav}{body}{script}</body></html>"
    )


def page_with(block: Callable[[str], str]) -> str:
    """The page with each part of code drawn by `block`."""
    prose = [f"<p>{html.escape(part.strip())}</p>" for part in PARTS[::2]]
    code = [block(part) for part in PARTS[1::2]]
    return document("".join(one + other for one, other in zip(prose, [*code, ""], strict=True)))


def tokens(line: str) -> str:
    """A line of code as highlighters draw it: a span for each token, React's comments between texts."""
    spans = (f'<span class="tok">{html.escape(piece)}</span>' for piece in re.findall(r'"[^"]*"|[^"]+', line))
    return "<!-- -->".join(spans)


def plain_pre(code: str) -> str:
    return f"<pre>\n{html.escape(code)}</pre>"


def highlighted(code: str) -> str:
    return f'<div><button>Copia</button><pre><code>{"<br>".join(map(tokens, code.splitlines()))}</code></pre></div>'


def numbered(code: str) -> str:
    lines = (
        f'<span class="linenumber react-syntax-highlighter-line-number">{number}</span><span>{tokens(line)}</span>\n'
        for number, line in enumerate(code.splitlines(), 1)
    )
    return f"<pre><code>{''.join(lines)}</code></pre>"


def table(code: str) -> str:
    rows = (
        f'<tr><td class="blob-num" data-line-number="{number}">{number}</td><td><code>{tokens(line)}</code></td></tr>'
        for number, line in enumerate(code.splitlines(), 1)
    )
    return f"<table>{''.join(rows)}</table>"


def no_break_spaces(code: str) -> str:
    return "".join(f"<div>{html.escape(line).replace(' ', '&nbsp;')}</div>" for line in code.splitlines())


def data() -> dict[str, object]:
    """What a site's script carries: the request as text, the schema as JSON in a string, the output as an object."""
    request, schema, output = PARTS[1], PARTS[-4], PARTS[-2]
    return {"props": {"pageProps": {"tabs": [{"code": request}], "in": schema, "out": json.loads(output)}}}


def next_data() -> str:
    content = json.dumps(data(), ensure_ascii=False)
    return document(f'<div>Loading</div><script id="__NEXT_DATA__" type="application/json">{content}</script>')


def streamed() -> str:
    stream = f'0:["$","div",null,{{"children":{json.dumps(data())}}}]\n1:["$","p"]\n'
    pieces = [stream[at : at + 700] for at in range(0, len(stream), 700)]
    scripts = (f"<script>self.__next_f.push([1,{json.dumps(piece)}])</script>" for piece in pieces)
    return document("<div>Loading</div>" + "".join(scripts))


def assigned() -> str:
    return document(f"<div id=root></div><script>window.__STATE__ = {json.dumps(data())};\nrun();</script>")


def parsed_string() -> str:
    return document(f"<div id=root></div><script>var s = JSON.parse({json.dumps(json.dumps(data()))});</script>")


SAVED = {
    "pre": page_with(plain_pre),
    "highlighted": page_with(highlighted),
    "line numbers": page_with(numbered),
    "table": page_with(table),
    "script of JSON": next_data(),
    "script of pushed pieces": streamed(),
    "script that assigns": assigned(),
    "script that parses a string": parsed_string(),
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    store = tmp_path_factory.mktemp("store")
    assert codegen("import", TEXT_IT, "--schemas", store).code == 0
    return files_below(store)


@pytest.mark.parametrize("form", SAVED)
def test_html_says_what_the_text_says(form: str, expected: dict[str, bytes], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(SAVED[form], encoding="utf-8")
    answer = codegen("import", page, "--schemas", tmp_path / "store")
    assert answer.code == 0, answer.err
    assert files_below(tmp_path / "store") == expected


def test_no_break_spaces_in_layout_are_spaces(tmp_path: Path) -> None:
    # In strings they are kept, so only the shape is compared.
    page = tmp_path / "page.html"
    page.write_text(page_with(no_break_spaces), encoding="utf-8")
    answer = codegen("import", page, "--schemas", tmp_path / "store")
    assert answer.code == 0, answer.err
    assert "4 properties; required: prompt" in answer.out


def test_a_single_file_archive(expected: dict[str, bytes], tmp_path: Path) -> None:
    archive = email.message.EmailMessage(policy=email.policy.default)
    archive["From"] = "<Saved by Blink>"
    archive["Subject"] = "Dreamina"
    archive.set_content(page_with(highlighted), subtype="html", cte="quoted-printable")
    archive.add_related(b"\x89PNG", "image", "png")
    page = tmp_path / "page.mhtml"
    page.write_bytes(archive.as_bytes())
    answer = codegen("import", page, "--schemas", tmp_path / "store")
    assert answer.code == 0, answer.err
    assert files_below(tmp_path / "store") == expected


def test_places_lead_into_the_html(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = page_with(numbered).replace("800", "8OO")
    (tmp_path / "page.html").write_text(source, encoding="utf-8")
    answer = codegen("import", "page.html", "--schemas", "store")
    assert answer.code == 65
    place = re.match(r"page\.html:(\d+):(\d+): E074", answer.err)
    assert place
    line, column = int(place.group(1)), int(place.group(2))
    # JSON reads 8 and stumbles over the letter after it.
    assert source.splitlines()[line - 1][column - 2 : column + 1] == "8OO"


def test_places_in_scripts_lead_to_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = next_data().replace("bytedance/dreamina-4-0/text-to-image", "../x")
    (tmp_path / "page.html").write_text(source, encoding="utf-8")
    answer = codegen("import", "page.html", "--schemas", "store")
    assert answer.code == 65
    assert 'E073 "../x" is not a usable model id' in answer.err


def test_a_page_that_shows_its_schema_is_not_read_from_scripts(tmp_path: Path) -> None:
    # The scripts of a page may carry other models' schemas, for a menu or a search.
    other = '<script type="application/json">{"type": "object", "properties": {"other": {"type": "string"}}}</script>'
    page = tmp_path / "page.html"
    page.write_text(page_with(plain_pre).replace("</body>", other + "</body>"), encoding="utf-8")
    answer = codegen("import", page, "--schemas", tmp_path / "store")
    assert answer.code == 0, answer.err
    assert "4 properties" in answer.out


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<a x=", *(pytest.param(piece, marks=pytest.mark.long) for piece in ("<", "<p>&", "<!", "<script>"))],
)
def test_a_great_many_of_one_thing_takes_no_minutes(piece: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html>" + piece * (400_000 // len(piece)) + EDIT_DE.read_text(encoding="utf-8"), encoding="utf-8")
    script = Path(sys.executable).with_name("runcomfy-codegen")
    # Two seconds here; what is worse than it should be takes an hour.
    done = subprocess.run([script, "import", page, "--schemas", tmp_path / "store"], capture_output=True, timeout=120)
    assert done.returncode in (0, 65)
