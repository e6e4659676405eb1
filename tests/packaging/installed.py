"""What is tried in an empty environment and folder, by its own Python: `python installed.py base|plugin|extras|own`.

It stands alone: only the standard library and what the environment was given can be imported.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions, files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "bytedance/dreamina-4-0/text-to-image"
GOOD = {"prompt": "a red fox", "width×height": "2048x2048(1:1)"}
SCHEMA = {
    "type": "object",
    "title": "Input schema",
    "required": ["prompt"],
    "properties": {"prompt": {"type": "string", "maxLength": 20}, "num-steps": {"type": "integer", "default": 4}},
}


def base() -> None:
    """The wheel and nothing else: what works, and what the rest says it needs."""
    import runcomfy

    check("import loads neither httpx nor pydantic", not {"httpx", "pydantic"} & sys.modules.keys())
    check("it is the installed package", "site-packages" in (runcomfy.__file__ or ""), runcomfy.__file__)
    check("it is typed", any(path.name == "py.typed" for path in files("runcomfy-client") or ()))
    report = runcomfy.validate(MODEL, GOOD)
    check("a good payload passes", report.ok, report)
    report = runcomfy.validate(MODEL, {"prompt": 1, "scale": 2})
    check("every fault is told", [each.path for each in report.errors] == ["/prompt", "/scale"], report)
    check("still neither httpx nor pydantic", not {"httpx", "pydantic"} & sys.modules.keys())

    from runcomfy import AsyncRunComfy, InvalidInputError, RunComfy
    from runcomfy.models.bytedance.dreamina_4_0.text_to_image import TextToImageInput

    check("the class takes Python names", TextToImageInput(prompt="x", width_height="2048x2048(1:1)").to_payload())
    client = RunComfy(token="none", base_url="http://127.0.0.1:9")
    check("endpoints are there", callable(client.bytedance.dreamina_4_0.text_to_image))
    check("async too", callable(AsyncRunComfy(token="none").bytedance.dreamina_4_0.text_to_image))
    try:
        client.bytedance.dreamina_4_0.edit(image_urls=[picture(5000, 1000)], prompt="x")
    except InvalidInputError as error:
        check("a picture is measured", "4096x4096" in str(error), error)
    else:
        check("a picture that is too wide is refused", False)

    extras = {"cyclopts", "jinja2", "black", "starlette", "uvicorn", "pytest"}
    present = {each.metadata["Name"].lower() for each in distributions()}
    check("the environment has no extra", not extras & present, present)
    for script, words, extra in (
        ("runcomfy-client", ("models",), "cli"),
        ("runcomfy-codegen", ("generate",), "codegen"),
        ("runcomfy-codegen", ("reference", "--output", "x"), "codegen"),
        ("runcomfy-sim", ("serve",), "simulator"),
    ):
        done = run(script, *words)
        check(f"{script} {words[0]} is a usage error", done.returncode == 2, done)
        check(f"{script} {words[0]} says what to install", f'"runcomfy-client[{extra}]"' in done.stderr, done.stderr)
        check(f"{script} {words[0]} says it in a line", len(done.stderr.strip().splitlines()) == 1, done.stderr)
    Path("payload.json").write_text(json.dumps(GOOD), encoding="utf-8")
    expect(0, run("runcomfy-client", "validate", MODEL, "payload.json"))
    Path("payload.json").write_text("{}", encoding="utf-8")
    done = expect(65, run("runcomfy-client", "validate", MODEL, "payload.json"))
    check("files are checked without the extra", "prompt" in done.stdout + done.stderr, done)


def picture(width: int, height: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return file.getvalue()


def plugin() -> None:
    """The wheel and pytest: our plugin breaks no run, and says what it needs when it is used."""
    Path("test_theirs.py").write_text("def test_theirs(tmp_path):\n    assert tmp_path.is_dir()\n", encoding="utf-8")
    done = pytest("test_theirs.py")
    check("a project's own test runs, warnings being errors", done.returncode == 0, done.stdout + done.stderr)
    shown = pytest("--version", "--version")
    check("the plugin is there", "runcomfy-client" in shown.stdout + shown.stderr, shown)
    Path("test_ours.py").write_text("def test_ours(runcomfy_sim):\n    pass\n", encoding="utf-8")
    done = pytest("test_ours.py")
    check("the fixture says what to install", '"runcomfy-client[simulator]"' in done.stdout, done.stdout)
    check("and is no traceback", "Traceback" not in done.stdout and done.returncode == 1, done.stdout)


def pytest(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def extras() -> None:
    """The sdist and its extras: generate, serve, run a job and document, from empty folders."""
    packaged()
    dropped_in()


def packaged() -> None:
    """In an empty folder: what ships is read, not written; the schemas of the wheel make the package of the wheel."""
    Path("packaged").mkdir()
    os.chdir("packaged")
    done = expect(2, run("runcomfy-codegen", "generate"))
    check("without a store, generate says how to name one", "[tool.runcomfy]" in done.stderr, done.stderr)
    done = expect(0, run("runcomfy-codegen", "lint"))
    builtin = re.search(r"ship with the client \((.*)\)", done.stderr)
    check("lint says which store it reads", builtin, done.stderr)
    assert builtin
    expect(0, run("runcomfy-codegen", "generate", "--schemas", builtin[1]))
    spec = find_spec("runcomfy")
    assert spec
    assert spec.origin
    theirs, ours = tree(Path(spec.origin).parent), tree(Path("generated/runcomfy"))
    check("it is the installed package, byte for byte", theirs == ours, theirs.keys() ^ ours.keys())
    expect(0, run("runcomfy-codegen", "generate", "--check", "--schemas", builtin[1]))
    done = expect(0, run("runcomfy-codegen", "reference", "--output", "reference"))
    check("a page for each model", len([*Path("reference").rglob("*.md")]) > 4, done.stdout)
    with_simulator("bytedance/dreamina-4-0/text-to-image")
    with_studio()
    os.chdir("..")


def with_studio() -> None:
    """The studio serves its pages and its files out of the package."""
    from urllib.request import HTTPCookieProcessor, build_opener

    script = Path(sys.executable).with_name("runcomfy-client")
    command = [str(script), "studio", "--simulate", "--no-browser", "--port", "0"]
    environment = {**os.environ, "XDG_STATE_HOME": str(Path("state").resolve())}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr
        try:
            link = re.search(r"http://\S+", process.stderr.readline())
            check("the studio says where it is", link)
            assert link
            browser = build_opener(HTTPCookieProcessor())
            browser.open(link[0]).read()
            root = link[0].partition("/launch/")[0]
            for path, part in (
                ("/", b"models"),
                ("/static/vendor/htmx.min.js", b"htmx"),
                ("/static/studio.css", b":root"),
            ):
                check(f"the studio serves {path}", part in browser.open(root + path).read())
        finally:
            process.terminate()


def dropped_in() -> None:
    """A folder of one's own, with one schema and nothing else."""
    folder = Path("own/schemas/acme/poster-1/text-to-image")
    folder.mkdir(parents=True)
    (folder / "input.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    os.chdir("own")
    expect(0, run("runcomfy-codegen", "generate"))
    check("the name is locked", "num_steps" in Path("schemas/names.json").read_text(encoding="utf-8"))
    code = (
        "import runcomfy; from runcomfy.models.acme.poster_1.text_to_image import TextToImageInput as T;"
        "print(runcomfy.__file__, T(prompt='x', num_steps=2).to_payload(),"
        " runcomfy.validate('acme/poster-1/text-to-image', {'prompt': 'y' * 21}).ok)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": "generated"}, capture_output=True, text=True
    )
    check("the class is there", "{'prompt': 'x', 'num-steps': 2} False" in shown.stdout, shown)
    check("of the package that was made here", str(Path("generated").resolve()) in shown.stdout, shown)
    with_simulator("acme/poster-1/text-to-image", PYTHONPATH="generated")
    os.chdir("..")


def own() -> None:
    """docs/own-package.md to the letter: its files, its commands, its workflow; then the frozen program."""
    page = (Path(__file__).parents[2] / "docs" / "own-package.md").read_text(encoding="utf-8")
    scripts = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    blocks = re.findall(r"(?:^`([^`\n]+)`\n\n)?^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    check("the page has files and commands", {"pyproject.toml", "posters.py"} <= {name for name, _, _ in blocks})
    Path("own").mkdir()
    os.chdir("own")
    for url in simulator():
        environment = {"PATH": scripts, "RUNCOMFY_BASE_URL": url, "RUNCOMFY_API_TOKEN": "any"}
        for name, language, text in blocks:
            if name:
                Path(name).parent.mkdir(parents=True, exist_ok=True)
                Path(name).write_text(text, encoding="utf-8")
            commands = re.findall(r"- run: (.*)", text) if language == "yaml" else text.splitlines()
            for line in commands if language in ("sh", "yaml") else ():
                # The environment is there, with what is tried here in it.
                if "runcomfy-client[" not in line:
                    shell(line, environment)
        check("the models are there", len([*Path("src/ourmodels/models").rglob("*_to_*.py")]) > 3)
        check("nothing else was made", not Path("generated").exists())
        shown = shell("dist/posters/posters", {**environment, "PATH": "/usr/bin:/bin"})
        check("the frozen program runs a job", Path(shown.strip()).is_file(), shown)
    os.chdir("..")


def shell(line: str, environment: dict[str, str]) -> str:
    """What a command line of the page prints; it must succeed."""
    done = subprocess.run(
        line, shell=True, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False
    )
    check(line, done.returncode == 0, done.stdout + done.stderr)
    return done.stdout


def with_simulator(model_id: str, **environment: str) -> None:
    """A job, from the submit to the file, against a simulator of this environment."""
    for url in simulator():
        words = (model_id, "prompt=a red fox", "--output-dir", "out")
        expect(0, run("runcomfy-client", "run", *words, RUNCOMFY_BASE_URL=url, RUNCOMFY_API_TOKEN="any", **environment))
        (picture,) = Path("out").iterdir()
        check(f"{model_id} gave a file", picture.stat().st_size > 500, picture)


def simulator() -> Iterator[str]:
    script = Path(sys.executable).with_name("runcomfy-sim")
    words = ["serve", "--port", "0", "--queue-seconds", "0", "--run-seconds", "0.1"]
    with subprocess.Popen(
        [str(script), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    yield found[0]
                    break
            else:
                check("the simulator says where it is", False)
        finally:
            process.terminate()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def run(name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A console script of this environment, in the working directory."""
    script = Path(sys.executable).with_name(name + (".exe" if os.name == "nt" else ""))
    return subprocess.run(
        [str(script), *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=300,
    )


def expect(code: int, done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """The run, if it ended with this exit code."""
    if done.returncode != code:
        raise SystemExit(f"{done.args}: exit code {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}")
    return done


def check(what: str, holds: object, shown: object = "") -> None:
    """Tell a check that holds; end at one that does not."""
    if not holds:
        raise SystemExit(f"NOT SO: {what}\n{shown}")
    print("ok:", what)


if __name__ == "__main__":
    {"base": base, "plugin": plugin, "extras": extras, "own": own}[sys.argv[1]]()
