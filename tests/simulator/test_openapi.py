"""The OpenAPI document is valid, true of the simulator, and usable by tools that were made for any API."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from runcomfy_client.schema import MediaRule
from runcomfy_codegen.openapi import ModelSchemas, make_document
from runcomfy_codegen.openapi.document import Unique, component_name, operation_name
from runcomfy_simulator import PROFILES

from tests.support.simulator import EDIT, IMAGE, MODELS, RULES
from tests.support.store import SCHEMAS

if TYPE_CHECKING:
    from tests.support.simulator import Start

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(params=["tests", pytest.param("all", marks=pytest.mark.long)])
def document(request: pytest.FixtureRequest, start: Start) -> dict[str, Any]:
    """As a simulator serves it: for the tests' schemas, and for all that ship."""
    simulator = start() if request.param == "tests" else start(schemas=SCHEMAS)
    return dict(httpx.get(f"{simulator.url}/openapi.json").json())


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_inputs_are_open_where_undeclared_keys_are_taken(start: Start) -> None:
    for way, expected in (("refuse", False), ("ignore", None), ("take", None)):
        made = httpx.get(f"{start(undeclared_keys=way).url}/openapi.json").json()
        draw = made["components"]["schemas"]["AcmeDraw1TextToImageInput"]
        assert draw.get("additionalProperties") is expected
        assert draw["properties"]["lora"].get("additionalProperties") is expected


def test_every_model_is_in_it(start: Start) -> None:
    simulator = start()
    made = httpx.get(f"{simulator.url}/openapi.json").json()
    assert made["servers"] == [{"url": simulator.url}]
    for model_id in MODELS:
        submit = made["paths"][f"/v1/models/{model_id}"]["post"]
        name = submit["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert set(made["components"]["schemas"][name]["properties"]) == set(MODELS[model_id]["input"]["properties"])
        assert submit["x-output"]["$ref"].rpartition("/")[2] in made["components"]["schemas"]
    images = made["components"]["schemas"]["AcmeDraw1EditInput"]["properties"]["images"]
    assert [rule_of(each) for each in images["x-validations"]] == [rule_of(each) for each in RULES]
    assert images["items"]["format"] == "image_uri"


def rule_of(entry: Any) -> str:
    return repr(MediaRule.parse(entry["validation_rule"], entry["validation_value"], entry["validation_error"]))


def test_the_generator_writes_what_the_simulator_serves(start: Start, tmp_path: Path) -> None:
    simulator = start(schemas=SCHEMAS, undeclared_keys="refuse")
    written = tmp_path / "openapi.json"
    command: list[str | Path] = [BIN / "runcomfy-codegen", "openapi", "--output", written, "--server", simulator.url]
    subprocess.run([*command, "--schemas", SCHEMAS], check=True, timeout=60)
    assert json.loads(written.read_text(encoding="utf-8")) == httpx.get(f"{simulator.url}/openapi.json").json()


def test_a_faulty_schema_is_reported_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "input.json").write_text(
        '{"type": "object", "properties": {"x": {"type": "what"}}}', "utf-8"
    )
    written = tmp_path / "openapi.json"
    command: list[str | Path] = [BIN / "runcomfy-codegen", "openapi", "--output", written, "--schemas", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, written.exists()) == (65, False)
    assert "input.json:1:" in done.stderr


def test_by_itself_it_names_runcomfys_hosts() -> None:
    made: Any = make_document([], {}, version="1")
    assert made["servers"] == [{"url": "https://model-api.runcomfy.net"}]
    assert made["paths"]["/prod/v2/balance"]["servers"] == [{"url": "https://api.runcomfy.net"}]


def test_names() -> None:
    assert component_name("kling/kling-video-o3/4K/image-to-video") == "KlingKlingVideoO3_4KImageToVideo"
    assert component_name("a/b-2.5") != component_name("a/b-25")
    assert operation_name("bytedance/dreamina-4-0/edit") == "bytedance_dreamina_4_0_edit"
    unique = Unique()
    assert [unique.name(name) for name in ("Edit", "edit", "Edit", "Other")] == ["Edit", "edit_2", "Edit_3", "Other"]


def test_two_ids_of_one_name_are_two_models() -> None:
    schema = {"type": "object", "properties": {}}
    models = [ModelSchemas(model_id=model_id, input=schema) for model_id in ("a/b-c", "a/b_c", "a/B.c")]
    made: Any = make_document(models, {}, version="1")
    assert [error.message for error in OpenAPIV31SpecValidator(made).iter_errors()] == []
    posts = [item["post"]["operationId"] for item in made["paths"].values() if "requestBody" in item.get("post", {})]
    assert len(set(posts)) == 3


# What schemathesis expects and a profile does otherwise; docs/simulator.md says so, too.
EXCLUDED_CHECKS = {
    # RunComfy's docs answer a bad token with 400 and error 400004; these checks know 401 and 403 only.
    "docs": ["ignored_auth", "missing_required_header"],
    # Here a bad token is a 403; this check expects 401 where the header is missing.
    "third-party": ["missing_required_header"],
}


def run_schemathesis(start: Start, folder: Path, profile: str, examples: int, **options: Any) -> None:
    # Enough money for every job, and a token that can be wrong.
    simulator = start(profile=profile, token="right", balance=1e9, **options)
    checks = ["--checks", "all"]
    if profile in EXCLUDED_CHECKS:
        checks += ["--exclude-checks", ",".join(EXCLUDED_CHECKS[profile])]
    command: list[str | Path] = [
        BIN / "schemathesis",
        "run",
        f"{simulator.url}/openapi.json",
        "-H",
        "Authorization: Bearer right",
    ]
    done = subprocess.run(
        [*command, *checks, "--max-examples", str(examples), "--seed", "1", "--no-color"],
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    tested = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert tested
    assert tested[1] == tested[2]
    # Ids that schemathesis makes up are not found, as they should be.
    assert set(re.findall(r"^([A-Z][a-z ]+): \d+ operation", done.stdout, re.MULTILINE)) <= {"Missing test data"}
    assert simulator.accepted > 10


# The long run tries all of them.
@pytest.mark.long
@pytest.mark.parametrize("profile", ["docs", "zapier"])
def test_schemathesis_finds_nothing_in_a_sample(start: Start, tmp_path: Path, profile: str) -> None:
    run_schemathesis(start, tmp_path, profile, 2)


@pytest.mark.long
@pytest.mark.parametrize("profile", list(PROFILES))
def test_schemathesis_finds_nothing(start: Start, tmp_path: Path, profile: str) -> None:
    run_schemathesis(start, tmp_path, profile, 200)


@pytest.mark.long
def test_schemathesis_finds_nothing_in_the_models_that_ship(start: Start, tmp_path: Path) -> None:
    run_schemathesis(start, tmp_path, "docs", 15, schemas=SCHEMAS)


def test_openapi_python_client_takes_it(document: dict[str, Any], tmp_path: Path) -> None:
    source, made = tmp_path / "openapi.json", tmp_path / "client"
    source.write_text(json.dumps(document), encoding="utf-8")
    command: list[str | Path] = [BIN / "openapi-python-client", "generate", "--path", source, "--output-path", made]
    done = subprocess.run(
        [*command, "--meta", "none", "--fail-on-warning"],
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    check = subprocess.run(
        [sys.executable, "-c", "import client, client.models; print(len(client.models.__all__))"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(check.stdout) > 10


# What it warns of, and the document rightly has: the API's own names of media formats, which JSON Schema leaves open,
# and properties of one title that are enums in many models.
KNOWN_WARNINGS = re.compile(r"format of '(image|video|audio)_uri' not understood|class names are numbered collisions")


def test_datamodel_code_generator_takes_it(document: dict[str, Any], tmp_path: Path) -> None:
    source, made = tmp_path / "openapi.json", tmp_path / "models.py"
    source.write_text(json.dumps(document), encoding="utf-8")
    command: list[str | Path] = [
        BIN / "datamodel-codegen",
        "--input",
        source,
        "--input-file-type",
        "openapi",
        "--output",
        made,
    ]
    options = ["--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin"]
    made_by = subprocess.run([*command, *options], check=True, capture_output=True, text=True, timeout=120)
    warnings = [line for line in made_by.stderr.splitlines() if "Warning:" in line]
    assert [line for line in warnings if not KNOWN_WARNINGS.search(line)] == []
    program = "import models; print(sorted(name for name in vars(models) if name.endswith('Input')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    inputs = [name for name in document["components"]["schemas"] if name.endswith("Input")]
    assert len(json.loads(done.stdout.replace("'", '"'))) >= len(inputs)


def test_the_page_needs_nothing_from_elsewhere(start: Start) -> None:
    simulator = start()
    page = httpx.get(simulator.url, follow_redirects=True)
    assert page.headers["content-type"].startswith("text/html")
    assert str(page.url).endswith("/docs")
    assert not re.search(r"https?://|//[a-z]+\.|@import|src=", page.text)
    assert 'fetch("openapi.json")' in page.text


def test_samples_in_the_document_are_accepted(start: Start) -> None:
    made = httpx.get(f"{start(schemas=SCHEMAS).url}/openapi.json").json()
    simulator = start(schemas=SCHEMAS)
    for path, item in made["paths"].items():
        body = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        if body is not None:
            reply = httpx.post(simulator.url + path, json=body, headers={"Authorization": "Bearer x"})
            assert reply.status_code == 200, (path, reply.text)
    assert simulator.accepted >= 4
    assert {IMAGE, EDIT}.isdisjoint(job.model_id for job in simulator.jobs)
