"""What a fresh process pays before its first job: import, one model, client and submit; few models and many."""

from __future__ import annotations

import ast
import re
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import openapi
from .catalog import Catalog
from .environments import peers, plain
from .harness import Spread, run, take_turns
from .paths import ROOT
from .report import Row, Section, Target
from .servers import simulator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .harness import Rounds

FEW = 4
METHOD = """\
Fresh processes, {rounds} rounds, bytecode compiled beforehand, with packages of {few} and of {many:,} models.
*Above bare Python* takes off what `python -c pass` costs. *One class* is the same model's pydantic class alone in a
file, as datamodel-code-generator prints it. *Client and submit* creates a client and sends one job to the simulator;
bare httpx does the same by hand, without looking at the payload. The simulator speaks plain http, for which ours reads
no certificates; httpx reads them for every client, so one row has an httpx that is told not to."""


def measure(*, quick: bool) -> Section:
    """Measure imports."""
    many, rounds = (60, 8) if quick else (1000, 20)
    with tempfile.TemporaryDirectory(prefix="runcomfy-bench-") as folder, ExitStack() as stack:
        bench = _Bench(Path(folder), many)
        bench.origin = stack.enter_context(simulator(bench.schemas))
        found = take_turns({name: partial(_milliseconds, *each) for name, each in bench.programs().items()}, rounds)
        modules = {count: bench.modules(count) for count in (FEW, many)}
    return Section(
        name="imports",
        title="Starting up",
        method=METHOD.format(rounds=rounds, few=FEW, many=many),
        rows=(*_growth(found, many), *_peers(found, many), *_modules(modules)),
    )


def _growth(found: Rounds, many: int) -> list[Row]:
    """Many models against few."""
    what = {
        "import": "`import runcomfy`",
        "class": "reach a class, build it",
        "validate": "`runcomfy.validate`",
        "submit": "client and submit",
    }
    return [
        Row(
            what=f"{text}, {many:,} models",
            ours=found.cost(f"{name} {many}"),
            unit="ms",
            peer=f"the same, {FEW} models",
            theirs=found.cost(f"{name} {FEW}"),
            ratio=found.ratio(f"{name} {many}", f"{name} {FEW}"),
            target=Target(1.1) if name == "import" else None,
        )
        for name, text in what.items()
    ]


def _peers(found: Rounds, many: int) -> list[Row]:
    """Ours, with many models, against what one would write without us."""
    pairs = (
        ("`import runcomfy`, above bare Python", "import", "`import httpx, pydantic`", "libraries", 1 / 3, "bare"),
        ("reach a class, build it", "class", "pydantic and one class", "one class", 1.2, None),
        ("`runcomfy.validate`", "validate", "pydantic and one class", "one class", 1.2, None),
        ("`runcomfy.validate`", "validate", "bare Python", "bare", None, None),
        ("client and submit", "submit", "bare httpx", "httpx", 1.2, None),
        ("client and submit", "submit", "bare httpx, no certificates", "httpx, no certificates", None, None),
        ("reach a class, build it", "class", "openapi-python-client's package", "openapi-python-client", None, None),
    )
    return [
        Row(
            what=what,
            ours=found.cost(f"{ours} {many}", above=above),
            unit="ms",
            peer=peer,
            theirs=found.cost(theirs, above=above),
            ratio=found.ratio(f"{ours} {many}", theirs, above=above),
            target=Target(bound) if bound else None,
        )
        for what, ours, peer, theirs, bound, above in pairs
    ]


def _modules(modules: Mapping[int, float]) -> list[Row]:
    return [
        Row(
            what=f"modules that `import runcomfy` loads, {count:,} models",
            ours=Spread(loaded, loaded, loaded),
            unit="",
        )
        for count, loaded in modules.items()
    ]


def _milliseconds(code: str, env: Mapping[str, str]) -> float:
    return run([plain(), "-c", code], env=env).milliseconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where the generated package keeps a model: `fjorx.halo_art_5.image_edit`, `ImageEditInput`."""

    path: str
    input_class: str

    @classmethod
    def of(cls, package: Path, model_id: str) -> Place:
        """Read it off the package's own index."""
        index = ast.parse((package / "_index.py").read_text(encoding="utf-8"))
        table = next(node.value for node in ast.walk(index) if isinstance(node, ast.keyword) and node.arg == "models")
        path = str(ast.literal_eval(table)[model_id])
        spec = (package / "specs" / f"{path.replace('.', '/')}.py").read_text(encoding="utf-8")
        found = re.search(r'input_class="(\w+)"', spec)
        assert found is not None
        return cls(path, found[1])


class _Bench:
    """Two packages of ours, the peers' one class and client, and the programs that are measured."""

    origin: str

    def __init__(self, folder: Path, many: int) -> None:
        self._catalogues = {count: Catalog.at(folder / str(count), count) for count in (FEW, many)}
        for catalog in self._catalogues.values():
            catalog.generate()
        self._model = self._catalogues[many].models[0]
        self.schemas = self._catalogues[many].schemas
        self._peers = folder / "peers"
        self._peers.mkdir()
        self._one_class(self._catalogues[FEW])
        self._peer_class = self._client(self._catalogues[many])

    def programs(self) -> dict[str, tuple[str, Mapping[str, str]]]:
        """Name -> code and variables; ours under names that end with the number of models."""
        payload = self._model.example
        one = openapi.class_name(self._model.model_id)
        beside = {"PYTHONPATH": str(self._peers), "PYTHONHASHSEED": "0"}
        found: dict[str, tuple[str, Mapping[str, str]]] = {
            "bare": ("pass", beside),
            "libraries": ("import httpx, pydantic", beside),
            "one class": (f"from one_class import {one}; {one}.model_validate({payload!r})", beside),
            "httpx": (self._httpx(), beside),
            "httpx, no certificates": (self._httpx(", verify=False"), beside),
            "openapi-python-client": (
                f"from model_api_client.models import {self._peer_class} as M; M.from_dict({payload!r})",
                beside,
            ),
        }
        for count, catalog in self._catalogues.items():
            env = catalog.package_path
            for name, code in self._ours(catalog).items():
                found[f"{name} {count}"] = (code, env)
        return found

    def modules(self, count: int) -> float:
        """How many modules `import runcomfy` adds."""
        code = "import sys; before = len(sys.modules); import runcomfy; print(len(sys.modules) - before)"
        return float(run([plain(), "-c", code], env=self._catalogues[count].package_path).stdout)

    def _ours(self, catalog: Catalog) -> dict[str, str]:
        place = Place.of(catalog.folder / "out" / "runcomfy", self._model.model_id)
        payload = self._model.example
        return {
            "import": "import runcomfy",
            "class": f"from runcomfy.models.{place.path} import {place.input_class} as M; M(**{payload!r})",
            "validate": f"import runcomfy; assert runcomfy.validate({self._model.model_id!r}, {payload!r}).ok",
            "submit": "from runcomfy import RunComfy\n"
            f"client = RunComfy('benchmark-token', {self.origin!r})\n"
            f"client.{place.path}(**{payload!r}).request_id\n"
            "client.close()",
        }

    def _httpx(self, more: str = "") -> str:
        headers = {"Authorization": "Bearer benchmark-token"}
        return (
            "import httpx\n"
            f"client = httpx.Client(base_url={self.origin!r}, headers={headers!r}{more})\n"
            f"reply = client.post('/v1/models/{self._model.model_id}', json={self._model.example!r})\n"
            "reply.raise_for_status()\n"
            "reply.json()['request_id']\n"
            "client.close()"
        )

    def _one_class(self, catalog: Catalog) -> None:
        """The model's class alone, made by the peers' script."""
        standard = catalog.write_standard()
        command = [peers(), "-W", "ignore", "-m", "benchmarks.peers.model_classes", str(standard), str(standard)]
        run(command, env={"PYTHONPATH": str(ROOT)})
        text = (standard / f"{self._model.model_id}.py").read_text(encoding="utf-8")
        (self._peers / "one_class.py").write_text(text, encoding="utf-8")

    def _client(self, catalog: Catalog) -> str:
        """openapi-python-client's package of the same models; gives the name of the model's class in it."""
        out = self._peers / "project"
        command = [peers(), "-m", "openapi_python_client", "generate", "--path", str(catalog.write_openapi())]
        run([*command, "--output-path", str(out), "--overwrite"], env={"PATH": f"{Path(peers()).parent}:/usr/bin:/bin"})
        (out / "model_api_client").rename(self._peers / "model_api_client")
        wanted = openapi.class_name(self._model.model_id).lower()
        exports = (self._peers / "model_api_client" / "models" / "__init__.py").read_text(encoding="utf-8")
        names: list[str] = re.findall(r"import (\w+)", exports)
        return next(name for name in names if name.lower() == wanted)
