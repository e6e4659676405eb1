"""`validate`: many files, lines, patterns, stdin; text, JSON, JUnit, GitHub; and that the plain form stays light."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from runcomfy_client.cli.payload_files import place_in_json
from runcomfy_client.cli.validation import Request, parse_plain

from tests.support.cli import EDIT, TEXT_TO_IMAGE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Cli

GOOD = '{"prompt": "a red fox"}'
BAD = '{\n  "prompt": "a red fox",\n  "scale": 2,\n  "sed": 1\n}\n'


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    (tmp_path / "good.json").write_text(GOOD)
    (tmp_path / "bad.json").write_text(BAD)
    (tmp_path / "many.jsonl").write_text(f"{GOOD}\n\n" + '{"prompt": 3}\n' + GOOD)
    return tmp_path


@pytest.mark.usefixtures("payloads")
def test_one_good_file(cli: Cli) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "good.json")
    assert (answer.code, answer.out, answer.err) == (0, "good.json: ok\n", "")


@pytest.mark.usefixtures("payloads")
def test_every_error_of_every_file_is_reported(cli: Cli) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "bad.json", "many.jsonl", "good.json")
    assert answer.code == 65
    lines = answer.out.splitlines()
    assert lines[0] == "bad.json: 2 problems"
    assert lines[1].split()[:2] == ["/scale", "range"]
    assert lines[2].split()[:2] == ["/sed", "unknown_key"]
    assert lines[3:5] == ["many.jsonl:1: ok", "many.jsonl:3: 1 problem"]
    assert lines[-1] == "5 payloads: 3 ok, 2 with problems"


@pytest.mark.usefixtures("payloads")
def test_a_missing_file_does_not_hide_the_others(cli: Cli) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "bad.json", "none.json", ".")
    assert answer.code == 66
    assert "none.json: cannot be read: No such file or directory" in answer.out
    assert ".: cannot be read: Is a directory" in answer.out
    assert "/scale" in answer.out


@pytest.mark.usefixtures("payloads")
def test_patterns_are_looked_up_where_the_shell_did_not(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.json").write_text(GOOD)
    (tmp_path / "odd[1].json").write_text(GOOD)
    answer = cli("validate", TEXT_TO_IMAGE, "**/*.json", "odd[1].json", "*.none")
    assert [line.partition(": ")[0] for line in answer.out.splitlines() if not line.startswith(" ")][:-1] == [
        "bad.json",
        "deep/x.json",
        "good.json",
        "odd[1].json",
        "odd[1].json",
        "*.none",
    ]
    assert answer.code == 66


def test_stdin_is_a_file_called_minus(cli: Cli) -> None:
    assert cli("validate", TEXT_TO_IMAGE, "-", stdin=GOOD).out == "stdin: ok\n"
    answer = cli("validate", TEXT_TO_IMAGE, "-", "--jsonl", stdin=f"{GOOD}\nnonsense\n")
    assert answer.code == 65
    assert answer.out.splitlines()[:2] == ["stdin:1: ok", "stdin:2: 1 problem"]


def test_other_encodings_are_read(cli: Cli) -> None:
    assert cli("validate", TEXT_TO_IMAGE, "-", stdin="\ufeff" + GOOD).code == 0
    assert cli("validate", TEXT_TO_IMAGE, "-", stdin=GOOD.encode("utf-16")).code == 0
    broken = cli("validate", TEXT_TO_IMAGE, "-", stdin=b'{"prompt": "\xff"}')
    assert broken.code == 65
    assert "Traceback" not in broken.err


def test_what_is_unchecked_is_reported_and_no_error(cli: Cli) -> None:
    payload = '{"image_urls": ["https://a.example/b.png"], "prompt": "x"}'
    answer = cli("validate", EDIT, "-", stdin=payload)
    assert answer.code == 0
    assert "not checked" in answer.out
    facts = cli("validate", EDIT, "-", "--json", stdin=payload).json
    assert facts["ok"] is True
    assert {finding["path"] for finding in facts["payloads"][0]["unchecked"]} == {"/image_urls/0"}


@pytest.mark.usefixtures("payloads")
def test_json_has_one_report_a_payload_with_places(cli: Cli) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "bad.json", "many.jsonl", "none.json", "--json")
    facts = answer.json
    assert answer.code == 66
    assert list(facts) == ["ok", "model_id", "payloads"]
    assert [(one["source"], one["line"], one["ok"]) for one in facts["payloads"]] == [
        ("bad.json", None, False),
        ("many.jsonl", 1, True),
        ("many.jsonl", 3, False),
        ("many.jsonl", 4, True),
        ("none.json", None, False),
    ]
    first = facts["payloads"][0]
    assert list(first) == ["source", "line", "ok", "errors", "warnings", "unchecked"]
    assert [(one["code"], one["line"], one["column"]) for one in first["errors"]] == [
        ("range", 3, 3),
        ("unknown_key", 4, 3),
    ]
    assert [(one["line"], one["column"]) for one in facts["payloads"][2]["errors"]] == [(3, 2)]
    assert "fault" in facts["payloads"][4]


@pytest.mark.usefixtures("payloads")
def test_junit_has_a_case_a_payload(cli: Cli) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "good.json", "bad.json", "none.json", "--format", "junit")
    assert answer.code == 66
    suite = ElementTree.fromstring(answer.out)[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    failure = suite[1].find("failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.text.splitlines()[0].startswith("bad.json:3:3: [range] /scale: ")


def test_hostile_text_stays_text_in_every_format(cli: Cli) -> None:
    payload = json.dumps({"prompt": "x", "a\x1b[2J\n::error::b\ud800": 1})
    for form in ("text", "json", "junit", "github"):
        answer = cli("validate", TEXT_TO_IMAGE, "-", "--format", form, stdin=payload)
        assert answer.code == 65, form
        assert "\x1b" not in answer.out, form
        assert not any(line.startswith("::error::b") for line in answer.out.splitlines()), form
        if form == "junit":
            ElementTree.fromstring(answer.out)


@pytest.mark.usefixtures("payloads")
def test_github_annotations_point_at_the_line(cli: Cli) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "bad.json", "--format", "github")
    assert answer.code == 65
    first = answer.out.splitlines()[0]
    assert first.startswith(f"::error file=bad.json,line=3,col=3,title={TEXT_TO_IMAGE}%3A range::/scale: ")


def test_usage(cli: Cli) -> None:
    assert cli("validate", TEXT_TO_IMAGE).code == 2
    assert cli("validate", TEXT_TO_IMAGE, "x", "--format", "yaml").code == 2
    assert cli("validate", TEXT_TO_IMAGE, "x", "--json", "--format", "junit").code == 2
    unknown = cli("validate", "no/such/model", "x")
    assert unknown.code == 2
    assert "no model 'no/such/model' is known here" in unknown.err


HEAVY = ("cyclopts", "rich", "platformdirs", "pydantic", "httpx", "dataclasses", "inspect", "pathlib", "PIL")


@pytest.mark.usefixtures("payloads")
@pytest.mark.parametrize("name", ["good.json", "bad.json"])
def test_the_plain_form_loads_next_to_nothing(environment: dict[str, str], tmp_path: Path, name: str) -> None:
    code = (
        "import sys; before = set(sys.modules); sys.argv = ['', 'validate', sys.argv[1], sys.argv[2]];"
        "from runcomfy_client.cli.console import main; main();"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, TEXT_TO_IMAGE, name],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert "runcomfy_client.schema" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_it_works_without_the_extra(cli: Cli, tmp_path: Path) -> None:
    """With the packages of the extra out of reach, as after a base install."""
    for name in ("cyclopts", "rich", "platformdirs"):
        (tmp_path / "none").mkdir(exist_ok=True)
        (tmp_path / "none" / f"{name}.py").write_text(f"raise ModuleNotFoundError('no', name={name!r})")
    search = os.pathsep.join(filter(None, [str(tmp_path / "none"), os.environ.get("PYTHONPATH")]))
    assert cli("validate", TEXT_TO_IMAGE, "-", stdin=GOOD, env={"PYTHONPATH": search}).code == 0
    answer = cli("models", env={"PYTHONPATH": search})
    assert answer.code == 2
    assert 'pip install "runcomfy-client[cli]"' in answer.err
    assert (
        'pip install "runcomfy-client[cli]"'
        in cli("models", "--json", env={"PYTHONPATH": search}).json["error"]["message"]
    )


PLAIN = [
    ["validate", TEXT_TO_IMAGE, "a.json"],
    ["validate", TEXT_TO_IMAGE, "a.json", "b.json", "-"],
    ["validate", TEXT_TO_IMAGE, "a.json", "--json"],
    ["validate", "--json", TEXT_TO_IMAGE, "a.json"],
    ["validate", TEXT_TO_IMAGE, "--format", "junit", "a.json"],
    ["validate", "--jsonl", TEXT_TO_IMAGE, "a.json", "--format", "github"],
    ["validate", TEXT_TO_IMAGE, "a.json", "--probe"],
    ["validate", TEXT_TO_IMAGE, "a.json", "--quiet"],
    ["validate", "-q", "a.json"],
]


@pytest.mark.parametrize("argv", PLAIN)
def test_the_light_reading_is_the_parsers_own(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from runcomfy_client.cli.app import run_app
    from runcomfy_client.cli.commands import validate

    requests: list[Request] = []

    def remember(one: Request) -> int:
        requests.append(one)
        return 0

    monkeypatch.setattr(validate, "check_files", remember)
    run_app(argv)
    light = parse_plain(argv)
    assert light is not None
    for name in Request.__slots__:
        assert getattr(light, name) == getattr(requests[0], name), name


@pytest.mark.parametrize(
    "argv",
    [
        ["validate"],
        ["validate", TEXT_TO_IMAGE, "--help"],
        ["validate", TEXT_TO_IMAGE, "a.json", "--format"],
        ["validate", TEXT_TO_IMAGE, "a.json", "--format", "yaml"],
        ["validate", TEXT_TO_IMAGE, "a.json", "--format=json"],
        ["validate", TEXT_TO_IMAGE, "a.json", "--json", "--format", "junit"],
        ["validate", TEXT_TO_IMAGE, "--", "a.json"],
        ["models", TEXT_TO_IMAGE, "a.json"],
    ],
)
def test_whatever_is_not_plain_goes_to_the_parser(argv: list[str]) -> None:
    assert parse_plain(argv) is None


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ('{"a": 1}', "", (1, 1)),
        ('{"a": 1}', "/a", (1, 2)),
        ('{\n "a": {"b": [1,\n  {"c": 2}]}}', "/a/b/1/c", (3, 4)),
        ('{\n "a": {"b": [1,\n  {"c": 2}]}}', "/a/b/7", (2, 8)),
        ('{"x/y": 1,\n"m~n": 2}', "/m~0n", (2, 1)),
        ('{"x/y": 1}', "/x~1y", (1, 2)),
        ('{"a": "}]\\"{",\n"b": 1}', "/b", (2, 1)),
        ('{"\\u0061": 1}', "/a", (1, 2)),
        ('{"b": 1, "a": 1,\n "a": 2}', "/a", (2, 2)),
        ("\n\n [1,\n2]", "/1", (4, 1)),
        ('{"a": ', "/a", (1, 1)),
        ("nonsense", "/a", (1, 1)),
        ("[" * 100_000, "/0/0", (1, 3)),
    ],
)
def test_the_place_of_a_pointer(text: str, path: str, place: tuple[int, int]) -> None:
    keys = [key.replace("~1", "/").replace("~0", "~") for key in path.split("/")[1:]]
    assert place_in_json(text.encode(), keys) == place


def test_probing_goes_through_the_parser_and_refuses_private_addresses(cli: Cli) -> None:
    payload = '{"image_urls": ["https://127.0.0.1:9/a.png"], "prompt": "x"}'
    answer = cli("validate", EDIT, "-", "--probe", "--json", stdin=payload)
    assert answer.code == 0
    assert {finding["path"] for finding in answer.json["payloads"][0]["unchecked"]} == {"/image_urls/0"}
    assert "not a public address" in answer.out


def test_standard_input_is_read_once(cli: Cli) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "-", "-", stdin='{"prompt": "x"}')
    assert answer.code == 2
    assert "only once" in answer.err


def test_lines_as_powershell_writes_them(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_bytes('{"prompt": "ü"}\r\n{"promt": "x"}\r\n'.encode("utf-16"))
    answer = cli("validate", TEXT_TO_IMAGE, "many.jsonl")
    assert answer.out.splitlines()[0] == "many.jsonl:1: ok"
    assert answer.out.splitlines()[1] == "many.jsonl:2: 2 problems"
    assert answer.out.splitlines()[-1] == "2 payloads: 1 ok, 1 with problems"


@pytest.mark.parametrize("text", ["", " \n", "\ufeff"])
def test_nothing_is_reported_as_such(cli: Cli, text: str) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "-", stdin=text)
    assert answer.code == 65
    assert "is empty" in answer.out


def test_syntax_errors_stand_at_the_files_own_place_in_every_format(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('\ufeff{\n  "prompt": "x",\n}\n')
    (tmp_path / "b.jsonl").write_text(f"{GOOD}\n\n" + "{'prompt': 1}\n")
    files = ("validate", TEXT_TO_IMAGE, "a.json", "b.jsonl")
    text = cli(*files).out
    assert "is not JSON: line 2, column 16: a comma follows the last item; remove it" in text
    assert "is not JSON: line 3, column 2: texts and keys stand in double quotes" in text
    facts = cli(*files, "--json").json["payloads"]
    places = [(finding["line"], finding["column"]) for one in facts for finding in one["errors"]]
    assert places == [(2, 16), (3, 2)]
    github = cli(*files, "--format", "github").out
    assert "::error file=a.json,line=2,col=16," in github
    assert "::error file=b.jsonl,line=3,col=2," in github
    junit = cli(*files, "--format", "junit").out
    assert "a.json:2:16: [json]" in junit
    assert "b.jsonl:3:2: [json]" in junit


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"prompt": "a"}\n{"prompt": "b"}\n', "add --jsonl"),
        ('[{"prompt": "a"}, {"prompt": "b"}]', "write one on each line of a .jsonl file"),
    ],
)
def test_many_payloads_in_one_json_file_say_how_they_are_written(cli: Cli, text: str, hint: str) -> None:
    answer = cli("validate", TEXT_TO_IMAGE, "-", stdin=text)
    assert answer.code == 65
    assert hint in answer.out
    assert cli("validate", TEXT_TO_IMAGE, "-", "--jsonl", stdin=text).code == (0 if "jsonl" in hint[:12] else 65)


@pytest.mark.usefixtures("payloads")
def test_quiet_prints_problems_only(cli: Cli) -> None:
    good = cli("validate", TEXT_TO_IMAGE, "good.json", "--quiet")
    assert (good.code, good.out, good.err) == (0, "", "")
    answer = cli("validate", TEXT_TO_IMAGE, "good.json", "bad.json", "-q")
    assert answer.code == 65
    assert answer.out.startswith("bad.json: 2 problems\n")
    assert "payloads:" not in answer.out
    assert "good.json" not in answer.out
    github = cli("validate", TEXT_TO_IMAGE, "good.json", "bad.json", "-q", "--format", "github").out
    assert all(line.startswith("::error ") for line in github.splitlines())


def test_many_good_payloads_are_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(f"{GOOD}\n" * 250)
    assert cli("validate", TEXT_TO_IMAGE, "many.jsonl").out == "250 payloads: 250 ok\n"
    (tmp_path / "bad.json").write_text(BAD)
    lines = cli("validate", TEXT_TO_IMAGE, "many.jsonl", "bad.json").out.splitlines()
    assert lines[0] == "bad.json: 2 problems"
    assert lines[-1] == "251 payloads: 250 ok, 1 with problems"


def test_github_names_what_is_unchecked_once_a_place(cli: Cli) -> None:
    payload = '{"image_urls": ["https://a.example/b.png", "https://a.example/c.png"], "prompt": "x"}'
    lines = cli("validate", EDIT, "-", "--format", "github", stdin=payload).out.splitlines()
    notices = [line for line in lines if line.startswith("::notice ")]
    assert len(notices) == 2
    assert "file_size_mb <= 15, width_pixels <= 4096" in notices[0].replace("%2C", ",")


def test_yaml_is_read_as_yaml_1_2(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# a comment\nprompt: no\nscale: 0.5\nforce_single: true\n")
    assert cli("validate", TEXT_TO_IMAGE, "a.yaml").out == "a.yaml: ok\n"
    (tmp_path / "b.yml").write_text("prompt: 16:9\nwidth×height: 16:9\nscale: 2026-11-21\nsed: [1]\n")
    facts = cli("validate", TEXT_TO_IMAGE, "b.yml", "--json").json["payloads"][0]
    found = [(one["path"], one["code"], one["line"], one["column"]) for one in facts["errors"]]
    assert found == [("/scale", "type", 3, 1), ("/sed", "unknown_key", 4, 1), ("/width×height", "enum", 2, 1)]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("prompt: [a\nscale: 1\n", 2, 6, "is not YAML"),
        ("prompt: !!python/object:os.system x\n", 1, 9, "means nothing in a payload"),
        ("prompt: a\nprompt: b\n", 2, 1, "more than once"),
        ("", 1, 1, "empty"),
        ("a: &a [1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
         "d: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e]\n",
         1, 11, "too many values"),
        ("a: &a [*a]\n", 1, 4, "nested too deeply"),
    ],
)  # fmt: skip
def test_yaml_that_is_no_payload(cli: Cli, tmp_path: Path, text: str, line: int, column: int, words: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    answer = cli("validate", TEXT_TO_IMAGE, "a.yaml", "--json")
    assert answer.code == 65
    finding = next(one for one in answer.json["payloads"][0]["errors"] if words in one["message"])
    if "too" not in words:  # which of the nodes is one too many is no promise
        assert (finding["line"], finding["column"]) == (line, column)


def test_files_name_their_models(cli: Cli, tmp_path: Path) -> None:
    address = f"https://example.com/schemas/{EDIT}.json"
    (tmp_path / "edit.json").write_text(json.dumps({"$schema": address, "prompt": "x", "image_urls": []}))
    (tmp_path / "text.yaml").write_text(f"$schema: ../schemas/{TEXT_TO_IMAGE}.json\nprompt: x\n")
    lines = [
        {"model": TEXT_TO_IMAGE, "input": {"prompt": "x"}},
        {"model": EDIT, "input": {"prompt": "x", "scale": 7}},
        {"model": "no/such", "input": {}},
        {"prompt": "x"},
    ]
    (tmp_path / "mixed.jsonl").write_text("\n".join(map(json.dumps, lines)))
    facts = cli("validate", "edit.json", "text.yaml", "mixed.jsonl", "--json").json
    assert facts["model_id"] is None
    assert [(one["source"], one["line"], one["model_id"], one["ok"]) for one in facts["payloads"]] == [
        ("edit.json", None, EDIT, False),
        ("text.yaml", None, TEXT_TO_IMAGE, True),
        ("mixed.jsonl", 1, TEXT_TO_IMAGE, True),
        ("mixed.jsonl", 2, EDIT, False),
        ("mixed.jsonl", 3, "no/such", False),
        ("mixed.jsonl", 4, None, False),
    ]
    codes = [[finding["code"] for finding in one["errors"]] for one in facts["payloads"]]
    assert codes == [["items"], [], [], ["required", "range"], ["unknown_model"], ["no_model"]]
    scale = facts["payloads"][3]["errors"][1]
    assert scale["line"] == 2
    assert json.dumps(lines[1])[scale["column"] - 1 :].startswith('"scale"')
    # Where a MODEL is given, the key that editors read is still no input.
    assert cli("validate", TEXT_TO_IMAGE, "text.yaml").code == 0
    dry = cli("run", EDIT, "-i", "@edit.json", "image_urls=https://a.example/b.png", "--dry-run", "--json")
    assert list(dry.json["request"]["body"]) == ["prompt", "image_urls"]


def test_the_schema_that_is_printed_is_standard_and_checks_alike(cli: Cli) -> None:
    import jsonschema

    schema = cli("schema", TEXT_TO_IMAGE).out
    check = jsonschema.Draft202012Validator(json.loads(schema))
    check.check_schema(json.loads(schema))
    for payload in ({"prompt": "x"}, {"prompt": "x", "$schema": "a"}, {"prompt": 3}, {"prompt": "x", "scale": 2}, {}):
        answer = cli("validate", TEXT_TO_IMAGE, "-", stdin=json.dumps(payload))
        assert check.is_valid(payload) == (answer.code == 0), payload


def test_a_text_in_a_file_is_json_but_no_object(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text('"{}"')
    answer = cli("validate", TEXT_TO_IMAGE, "text.json")
    assert answer.code == 65
    assert "expected an object" in answer.out
    assert "is not JSON" not in answer.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"prompt: x\nimages: [a,\n  b\n", "line 2, column 9: the list is not closed; add ]"),
        (b"{prompt: a\n", "line 1, column 1: the object is not closed; add }"),
        (b'prompt: "a\n', "line 1, column 9: the text is not closed; add its quote"),
        (b"prompt:\n\t- a\n", "line 2, column 1: a tab stands here; indent with spaces"),
        (b"prompt: x\xff\n", "line 1, column 10: the byte 0xff does not fit here in UTF-8; save the file as UTF-8"),
    ],
)
def test_broken_yaml_says_what_to_write(cli: Cli, tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "payload.yaml").write_bytes(text)
    answer = cli("validate", TEXT_TO_IMAGE, "payload.yaml")
    assert answer.code == 65
    assert message in " ".join(answer.out.split())
