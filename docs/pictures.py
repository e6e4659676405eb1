"""Makes docs/images/*.svg: what the command line really shows, run on a terminal of its own against the simulator.

python docs/pictures.py            writes the pictures
python docs/pictures.py --check    exits 1 if what they say is no longer what the commands print
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from runcomfy_simulator import Simulator

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
COLUMNS = 96
MODEL = "bytedance/dreamina-4-0/text-to-image"

# Of rich's page all but the font it would fetch from elsewhere: a picture must not ask a third party.
SVG = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One picture: the commands typed in it, and the files that lie there."""

    name: str
    title: str
    commands: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = ()


SCENES = (
    Scene(name="show", title="What a model takes", commands=(f"runcomfy-client show {MODEL}",)),
    Scene(
        name="validate",
        title="Payloads checked offline",
        commands=("runcomfy-client validate bytedance/dreamina-4-0/edit boat.json fox.json",),
        files=(
            (
                "boat.json",
                '{"image_urls": ["https://example.com/girl.png"], "prompt": "sitting on a boat", "scale": 0.7}',
            ),
            (
                "fox.json",
                '{"image_urls": [], "promt": "a red fox", "scale": 2, "width×height": "2560x1440", "force_single": 1}',
            ),
        ),
    ),
    Scene(
        name="run",
        title="From a prompt to a file",
        commands=(
            f"runcomfy-client run {MODEL} prompt='a red fox' scal=0.4",
            f"runcomfy-client run {MODEL} prompt='a red fox' scale=0.4 -o out",
            "ls out",
        ),
    ),
    Scene(
        name="batch",
        title="A batch",
        commands=(
            f"runcomfy-client batch check draft.csv --model {MODEL}",
            f"runcomfy-client batch run prompts.csv --model {MODEL} -o out --budget 5 --yes",
            "runcomfy-client batch failures out",
            "ls out out/files",
        ),
        files=(
            ("draft.csv", "key,prompt,scale\nfox,A paper fox in the snow,0.3\nmoon,A paper moon,3\nowl,,0.5\n"),
            # The last job fails: the simulator reads what is behind the hash.
            (
                "prompts.csv",
                "key,prompt,scale\nfox,A paper fox in the snow,0.3\nmoon,A paper moon,\nowl,An owl #fail,\n",
            ),
        ),
    ),
)

# What differs from run to run says the same in every picture.
STEADY = (
    (re.compile(r"\b[0-9a-f]{32}\b"), "5f0c2d9e6b7a4c1f8e3d2a1b0c9d8e7f"),
    (re.compile(r"\(\d+\.\d s\)"), "(4.2 s)"),
)


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    IMAGES.mkdir(exist_ok=True)
    stale = 0
    for scene in SCENES:
        path = IMAGES / f"{scene.name}.svg"
        svg = picture(scene)
        if check:
            if not path.exists() or words(path.read_text(encoding="utf-8")) != words(svg):
                stale += 1
                print(f"{path.relative_to(ROOT)} is out of date; make it anew with: python docs/pictures.py")
        else:
            path.write_text(svg, encoding="utf-8")
            print(path.relative_to(ROOT))
    return 1 if stale else 0


def picture(scene: Scene) -> str:
    """The scene, played and drawn."""
    out = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(ROOT / "schemas", queue_seconds=0.4, run_seconds=0.4) as sim,
    ):
        for name, text in scene.files:
            (Path(folder) / name).write_text(text, encoding="utf-8")
        for command in scene.commands:
            out.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
            out.print(Text.from_ansi(steady(screen(play(command, Path(folder), sim)))), soft_wrap=True)
            out.print()
        # The last row is drawn as high as its letters are on the line: what hangs below it would be cut.
        out.print(Text("$", style="bold green"))
    return out.export_svg(title=scene.title, theme=MONOKAI, code_format=SVG, unique_id=scene.name)


def play(command: str, folder: Path, sim: Simulator) -> str:
    """Everything the command writes to a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    scripts = str(Path(sys.executable).parent)
    environment = {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "TERM": "xterm-256color",
        "RUNCOMFY_API_TOKEN": sim.token,
        # The pictures of what is only looked at show the real address.
        **({"RUNCOMFY_BASE_URL": sim.url} if " run " in command or " batch " in command else {}),
    }
    with subprocess.Popen(
        shlex.split(command), stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    ):
        os.close(theirs)
        seen = b""
        while piece := _read(ours):
            seen += piece
    os.close(ours)
    return seen.decode().replace("\r\n", "\n")


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError:  # a terminal's way to say that nobody writes any more
        return b""


def screen(seen: str) -> str:
    """What is left on the screen: as much of a terminal as rich's live line makes use of."""
    rows, row = [""], 0
    for piece in re.split(r"(\n|\r|\x1b\[[0-9;?]*[A-Za-z])", seen):
        move = re.fullmatch(r"\x1b\[(\d*)A", piece)
        if piece == "\n":
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif move:
            row -= int(move[1] or 1)
        elif piece == "\x1b[2K":
            rows[row] = ""
        elif piece != "\r" and (not piece.startswith("\x1b") or piece.endswith("m")):
            rows[row] += piece
    return "\n".join(rows).rstrip()


def steady(text: str) -> str:
    for pattern, replacement in STEADY:
        text = pattern.sub(replacement, text)
    return text


def words(svg: str) -> list[str]:
    """What a picture says, whatever a version of rich makes of its lines and colours."""
    texts = ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    return " ".join(texts).replace("\xa0", " ").split()


if __name__ == "__main__":
    sys.exit(main())
