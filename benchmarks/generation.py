"""What making the package costs: from nothing, with nothing changed, with one model added; beside the peers."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .catalog import SOURCES, Catalog
from .environments import peers
from .harness import Spread, run, take_turns
from .report import Row, Section, Target
from .synthetic import make, write_schemas

METHOD = """\
{count} synthetic models, {rounds} rounds. *From nothing* has neither output nor cache; *nothing changed* and *one model
added* find the output and the cache of a full run. datamodel-code-generator and black run as libraries in one process
on the same schemas, and give the pydantic classes only; our run also gives the checks, the endpoint methods, sync and
async, and the runtime. openapi-python-client gets the same models as an OpenAPI document and runs its formatter
(ruff)."""


def measure(*, quick: bool) -> Section:
    """Measure generation."""
    count, rounds = (120, 2) if quick else (1000, 2)
    with tempfile.TemporaryDirectory(prefix="runcomfy-bench-") as folder:
        bench = _Bench(Path(folder), count)
        peak = bench.peak_mib()
        found = take_turns(
            {
                "full": bench.full,
                "classes": bench.classes,
                "openapi-python-client": bench.openapi_python_client,
                "unchanged": bench.unchanged,
                "one added": bench.one_added,
            },
            rounds,
            warm_up=0,
        )
        lines = bench.lines()

    def row(what: str, ours: str, peer: str, theirs: str, bound: float | None) -> Row:
        return Row(
            what=what,
            ours=found.cost(ours),
            unit="s",
            peer=peer,
            theirs=found.cost(theirs),
            ratio=found.ratio(ours, theirs),
            target=Target(bound) if bound else None,
        )

    return Section(
        name="generation",
        title=f"Generating {count:,} models",
        method=METHOD.format(count=f"{count:,}", rounds=rounds),
        rows=(
            row("from nothing", "full", "datamodel-code-generator + black", "classes", 1.5),
            row("from nothing", "full", "openapi-python-client + ruff", "openapi-python-client", None),
            row("nothing changed", "unchanged", "our full run", "full", 1 / 20),
            row("one model added", "one added", "our full run", "full", 1 / 10),
            Row(what="peak memory of a full run, all processes", ours=peak, unit="MiB", target=Target(300)),
        ),
        notes=tuple(f"{who} writes {text}." for who, text in lines.items()),
    )


class _Bench:
    """The folders of one run, and the measured steps on them; each step leaves what the next expects."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self._catalog = Catalog.at(folder, count).with_sources_of_its_own()
        self._added = make(count + 1)[-1]
        self._standard = self._catalog.write_standard()
        self._document = self._catalog.write_openapi()

    def full(self) -> float:
        """From nothing; what is made stays for the incremental runs."""
        self._forget()
        return self._catalog.generate().cpu

    def peak_mib(self) -> Spread:
        """The memory of a run from nothing."""
        self._forget()
        return Spread.of([self._catalog.generate(memory=True).peak_kib / 1024])

    def unchanged(self) -> float:
        """Again, with nothing to do."""
        return self._catalog.generate().cpu

    def one_added(self) -> float:
        """Again, with one model more; afterwards it is taken away again, uncounted."""
        write_schemas([self._added], self._catalog.schemas)
        cost = self._catalog.generate().cpu
        shutil.rmtree(self._catalog.schemas / self._added.model_id)
        self._catalog.generate()
        return cost

    def classes(self) -> float:
        """The floor: pydantic classes only."""
        out = self._folder / "classes"
        shutil.rmtree(out, ignore_errors=True)
        command = [peers(), "-W", "ignore", "-m", "benchmarks.peers.model_classes"]
        return run([*command, str(self._standard), str(out)], env=SOURCES).cpu

    def openapi_python_client(self) -> float:
        """The whole client as openapi-python-client makes it."""
        out = self._folder / "client"
        shutil.rmtree(out, ignore_errors=True)
        command = [peers(), "-m", "openapi_python_client", "generate", "--path", str(self._document)]
        path = {"PATH": f"{Path(peers()).parent}:/usr/bin:/bin"}
        return run([*command, "--output-path", str(out), "--overwrite"], env=path).cpu

    def _forget(self) -> None:
        """Remove all that a run leaves: the package, the cache, the published names."""
        shutil.rmtree(self._folder / "out", ignore_errors=True)
        (self._catalog.schemas / "names.json").unlink(missing_ok=True)

    def lines(self) -> dict[str, str]:
        """How much text each wrote."""
        folders = {
            "Our generator": self._folder / "out",
            "datamodel-code-generator": self._folder / "classes",
            "openapi-python-client": self._folder / "client",
        }
        return {who: _amount(folder) for who, folder in folders.items()}


def _amount(folder: Path) -> str:
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.py")]
    lines = sum(text.count("\n") for text in texts)
    return f"{len(texts):,} files, {lines:,} lines, {sum(map(len, texts)) / 1e6:.1f} MB"
