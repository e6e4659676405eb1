"""An editor's completion sees through the lazy parts: exports, providers, families, methods, arguments, fields."""

from __future__ import annotations

from pathlib import Path

import jedi  # type: ignore[import-untyped]  # it has no types
import pytest

GENERATED = Path(__file__).resolve().parents[2] / "generated"


@pytest.fixture(scope="module")
def project() -> jedi.Project:
    return jedi.Project(GENERATED, added_sys_path=[str(GENERATED)])


def names(project: jedi.Project, code: str) -> set[str]:
    """What is offered at the end of `code`."""
    lines = code.splitlines()
    return {each.name for each in jedi.Script(code, project=project).complete(len(lines), len(lines[-1]))}


@pytest.mark.long
@pytest.mark.parametrize("client", ["RunComfy", "AsyncRunComfy"])
def test_nothing_is_offered_but_what_is_public(project: jedi.Project, client: str) -> None:
    import runcomfy

    with_models = runcomfy.RunComfy(token="any", journal="jobs.sqlite")  # no file before the first submit
    start = f"from runcomfy import {client}\nclient = {client}()\nclient"
    for path in ("", ".bytedance", ".bytedance.dreamina_4_0", ".catalog", ".journal"):
        there = with_models
        for name in path.split(".")[1:]:
            there = getattr(there, name)
        public = {name for name in dir(there) if not name.startswith("_")}
        assert {name for name in names(project, f"{start}{path}.") if not name.startswith("_")} == public, path


@pytest.mark.parametrize("client", [pytest.param("RunComfy", marks=pytest.mark.long), "AsyncRunComfy"])
def test_from_the_client_to_an_argument(project: jedi.Project, client: str) -> None:
    start = f"from runcomfy import {client}\nclient = {client}()\nclient"
    assert {"bytedance", "catalog", "balance", "job", "submit"} <= names(project, f"{start}.")
    assert "dreamina_4_0" in names(project, f"{start}.bytedance.")
    assert {"edit", "text_to_image"} <= names(project, f"{start}.bytedance.dreamina_4_0.")
    assert {"prompt=", "width_height=", "scale=", "options="} <= names(project, f"{start}.bytedance.dreamina_4_0.edit(")


@pytest.mark.parametrize(
    "block",
    ["with RunComfy() as client:", "async def main():\n    async with AsyncRunComfy() as client:"],
    ids=["with", "async with"],
)
def test_a_block_shows_a_models_arguments(project: jedi.Project, block: str) -> None:
    code = f"from runcomfy import AsyncRunComfy, RunComfy\n{block}\n        client.bytedance.dreamina_4_0.edit("
    lines = code.splitlines()
    (signature,) = jedi.Script(code, project=project).get_signatures(len(lines), len(lines[-1]))
    names = [parameter.name for parameter in signature.params]
    assert names == ["image_urls", "prompt", "width_height", "scale", "force_single", "options"]
    assert "At most 800 characters" in signature.docstring()


def test_what_the_root_exports(project: jedi.Project) -> None:
    import runcomfy

    assert set(runcomfy.__all__) <= names(project, "import runcomfy\nruncomfy.")


@pytest.mark.long
def test_the_classes_of_a_family(project: jedi.Project) -> None:
    code = "from runcomfy.models.bytedance.dreamina_4_0 import "
    assert {"EditInput", "TextToImageInput", "TextToImageOutput"} <= names(project, code)
    code = "from runcomfy.models.bytedance.dreamina_4_0 import EditInput\nEditInput("
    assert {"image_urls=", "prompt="} <= names(project, code)
    code = "from runcomfy import RunComfy\nfrom runcomfy.models.bytedance.dreamina_4_0 import EditInput\n"
    code += "RunComfy().submit(EditInput(image_urls=[], prompt=''))."
    assert {"wait", "cancel", "request_id", "updates"} <= names(project, code)


def test_the_fields_of_a_result(project: jedi.Project) -> None:
    code = "from runcomfy import RunComfy\njob = RunComfy().bytedance.dreamina_4_0.edit(image_urls=[], prompt='')\n"
    assert {"wait", "cancel", "request_id", "updates"} <= names(project, f"{code}job.")
    assert {"output", "files", "cost", "download"} <= names(project, f"{code}job.wait().")
    assert {"image", "images", "video", "videos"} <= names(project, f"{code}job.wait().output.")
