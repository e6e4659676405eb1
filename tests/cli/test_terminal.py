"""On a terminal: one live line while a job runs, colours unless NO_COLOR, and completion in a real bash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator import Simulator

from tests.support.cli import EDIT, SCHEMAS, SCRIPT, TEXT_TO_IMAGE
from tests.support.scripts import start_script

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.cli import Cli

    Screen = Callable[..., str]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX terminal and bash")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def screen(tmp_path: Path, environment: dict[str, str]) -> Screen:
    """Everything a command writes to a terminal, control sequences included."""
    import fcntl
    import pty
    import struct
    import termios

    def run(*words: str, columns: int = 80, **env: str) -> str:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        terminal = Path(os.ttyname(theirs))
        everything = {**environment, "TERM": "xterm-256color", **env}
        process = start_script("runcomfy-client", words, (terminal, terminal, terminal), tmp_path, everything)
        seen = b""
        while ours in wait([ours, process.sentinel]):
            seen += os.read(ours, 65536)
        process.join()
        os.close(theirs)
        os.close(ours)
        return seen.decode()

    return run


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError:
        return b""


def test_a_wait_is_one_live_line_that_goes(screen: Screen, tmp_path: Path) -> None:
    with Simulator(SCHEMAS, queue_seconds=0.5, run_seconds=0.5, slots=1) as sim:
        seen = screen("run", TEXT_TO_IMAGE, "prompt=x", RUNCOMFY_BASE_URL=sim.url, RUNCOMFY_API_TOKEN=sim.token)
        request_id = sim.jobs[0].request_id
    plain = CONTROL.sub("", seen)
    assert plain.splitlines()[0] == f"request {request_id}"
    assert re.search(r"queued, position \d  \d\.\d s", plain)
    assert re.search(r"running  \d\.\d s", plain)
    assert re.search(r"fetching 1 file  [\d.]+ kB of [\d.]+ kB", plain)
    # Each redrawing first takes back the line before it.
    assert seen.count("\x1b[2K") >= 5
    assert "\x1b[?25l" in seen
    assert "\x1b[?25h" in seen
    last = plain.rstrip().splitlines()[-1]
    assert (tmp_path / last).is_file()


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(screen: Screen, columns: int) -> None:
    for words in (("models",), ("--help",), ("run", "--help"), ("show", "bytedance/seedream-4-0/sequential")):
        text = CONTROL.sub("", screen(*words, columns=columns)).partition("\nPython")[0]
        for line in text.splitlines():
            # The id of a model is never cut.
            assert len(line.rstrip()) <= columns or (words == ("models",) and " " not in line.strip()), words


def test_no_color_means_no_colour(screen: Screen) -> None:
    assert re.search(r"\x1b\[[0-9;]*3[0-9]", screen("models"))
    for words in (("models",), ("show", EDIT), ("show", "no/such"), ("validate", TEXT_TO_IMAGE, "none.json")):
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]", screen(*words, NO_COLOR="1")), words


def test_a_terminal_that_cannot_redraw_gets_plain_lines(screen: Screen) -> None:
    with Simulator(SCHEMAS, queue_seconds=0.5, run_seconds=0.5) as sim:
        address = {"RUNCOMFY_BASE_URL": sim.url, "RUNCOMFY_API_TOKEN": sim.token}
        seen = screen("run", TEXT_TO_IMAGE, "prompt=x", TERM="dumb", **address)
    assert "\x1b" not in seen
    states = [line.partition(" (")[0] for line in seen.splitlines() if line.endswith(" s)")]
    assert [states[0][:6], *states[-2:]] == ["queued", "running", "completed"]


@pytest.mark.parametrize("words", [["models"], ["pending"], ["validate", TEXT_TO_IMAGE, "none.json"]])
def test_forced_colours_change_no_words_in_a_pipe(cli: Cli, quick_sim: Simulator, words: list[str]) -> None:
    # As GitHub's runners are often set up: `models | cut -f1` must go on to work.
    assert cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=quick_sim).code == 0
    plain, forced = cli(*words), cli(*words, env={"FORCE_COLOR": "1"})
    assert CONTROL.sub("", forced.out) == plain.out
    assert ("\x1b[" in forced.out) == (words[0] == "validate")


def test_faults_stand_out(screen: Screen, cli: Cli) -> None:
    assert "\x1b[1;31merror:\x1b[0m" in screen("show", "no/such")
    assert "\x1b[1;31merror:\x1b[0m" in cli("show", "no/such", env={"FORCE_COLOR": "1"}).err
    assert "\x1b[1;31m" in screen("validate", TEXT_TO_IMAGE, "none.json")


COMPLETE = """
eval "$(runcomfy-client completion bash)"
for line; do
    COMPREPLY=() COMP_LINE=$line COMP_POINT=${#line}
    _runcomfy_client_whole_words runcomfy-client
    printf '%s\\n' "${COMPREPLY[@]}" ''
done
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="asks bash")
def test_bash_completes(environment: dict[str, str], tmp_path: Path) -> None:
    offers = {
        "runcomfy-client sho": ["show"],
        "runcomfy-client show bytedance/dreamina-4": [EDIT, TEXT_TO_IMAGE],
        f"runcomfy-client run {EDIT} s": ["scale="],
        f"runcomfy-client run {EDIT} prompt=x force_single=": ["true", "false"],
        f"runcomfy-client run {EDIT} width_height=3": [r"3024x1296\(21:9\)"],
        f"runcomfy-client run {EDIT} image_urls=@pic": ["@pictures/"],
        f"runcomfy-client validate {EDIT} --format j": ["json", "junit"],
        f"runcomfy-client validate {EDIT} pic": ["pictures/"],
    }
    (tmp_path / "pictures").mkdir()
    done = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", *offers],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environment, "PATH": f"{SCRIPT.parent}:{environment['PATH']}"},
        check=True,
    )
    found = done.stdout.removesuffix("\n\n").split("\n\n")
    assert {line: offered.split("\n") for line, offered in zip(offers, found, strict=True)} == offers


def test_bash_offers_pending_requests(cli: Cli, quick_sim: Simulator, environment: dict[str, str]) -> None:
    request_id = cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=quick_sim).out.strip()
    done = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", "runcomfy-client cancel "],
        capture_output=True,
        text=True,
        env={**environment, "PATH": f"{SCRIPT.parent}:{environment['PATH']}"},
        check=True,
    )
    assert done.stdout.split() == [request_id]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="asks zsh")
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("runcomfy-client bal", "balance "),
        (f"runcomfy-client show {EDIT[:-2]}", f"{EDIT} "),
        # What goes on after it has no space behind it.
        (f"runcomfy-client run {EDIT} prompt=x wid", "width_height=|"),
        (f"runcomfy-client run {EDIT} width_height=30", r"width_height=3024x1296\(21:9\) "),
        (f"runcomfy-client run {EDIT} image_urls=@pic", "image_urls=@pictures/|"),
        (f"runcomfy-client validate {EDIT} pic", "pictures/|"),
    ],
)
def test_zsh_completes(line: str, completed: str, environment: dict[str, str], tmp_path: Path) -> None:
    """Typed at a prompt; the mark typed after TAB shows whether a space came before it."""
    import pty

    (tmp_path / "pictures").mkdir()
    ours, theirs = pty.openpty()
    env = {**environment, "TERM": "dumb", "PATH": f"{SCRIPT.parent}:{environment['PATH']}"}
    with subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=env, start_new_session=True
    ) as shell:
        os.close(theirs)
        # No "compinit" here: the script sees to it, if ~/.zshrc does not.
        os.write(ours, b"PS1='rea''dy> '; stty cols 200; eval \"$(runcomfy-client completion zsh)\"\n")
        _read_until(ours, "ready> ")
        os.write(ours, f"{line}\t".encode())
        seen = _read_until(ours, completed.rstrip("|"))
        os.write(ours, b"|")
        seen += _read_until(ours, "|")
        shell.kill()
    os.close(ours)
    assert completed in seen


def _read_until(handle: int, wanted: str) -> str:
    """What comes until ``wanted`` does, or until nothing comes any more."""
    import select

    seen = ""
    while wanted not in seen and select.select([handle], [], [], 20)[0]:
        seen += CONTROL.sub("", _read(handle).decode(errors="replace")).replace("\x08", "")
    return seen


@pytest.mark.skipif(shutil.which("fish") is None, reason="asks fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("runcomfy-client bal", ["balance"]),
        ("runcomfy-client show bytedance/dreamina-4", [EDIT, TEXT_TO_IMAGE]),
        (f"runcomfy-client run {EDIT} prompt=x wid", ["width_height="]),
        (f"runcomfy-client run {EDIT} width_height=30", ["width_height=3024x1296(21:9)"]),
        (f"runcomfy-client validate {EDIT} pic", ["pictures/"]),
        (f"runcomfy-client validate {EDIT} --format j", ["json", "junit"]),
    ],
)
def test_fish_completes(line: str, offered: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    done = subprocess.run(
        ["fish", "--no-config", "-c", 'runcomfy-client completion fish | source; complete -C "$argv"', line],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environment, "PATH": f"{SCRIPT.parent}:{environment['PATH']}"},
        check=True,
    )
    assert [row.partition("\t")[0] for row in done.stdout.splitlines()] == offered


def test_powershell_has_a_script_too(cli: Cli) -> None:
    answer = cli("completion", "powershell")
    assert answer.code == 0
    assert "__complete" in answer.out


@pytest.mark.parametrize("columns", [60])
def test_messages_wrap_with_their_prefix_and_cut_no_word(
    screen: Screen, cli: Cli, quick_sim: Simulator, columns: int
) -> None:
    key = "a-very-long-name-of-a-job-that-fills-the-line"
    assert cli("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", key, sim=quick_sim).code == 0
    address = {"RUNCOMFY_BASE_URL": quick_sim.url, "RUNCOMFY_API_TOKEN": quick_sim.token}
    for words in (
        ("run", TEXT_TO_IMAGE, "prompt=x", "scal=0.4", "width_height=9"),
        ("submit", TEXT_TO_IMAGE, "prompt=y", "--job-key", key),
        ("show", "bytedance/dreamina-4-0/edti"),
        ("balance", "--base-url", "http://example.com"),
        ("run", TEXT_TO_IMAGE, "--token", "x"),
    ):
        narrow = CONTROL.sub("", screen(*words, columns=columns, **address)).replace("\r", "")
        wide = CONTROL.sub("", screen(*words, columns=400, **address)).replace("\r", "")
        assert narrow.split() == wide.split(), "a word was cut"
        for line in narrow.split("\n"):
            # Only a word that is longer than the line, or a command to paste, may go beyond it.
            fits = len(line) <= columns or " " not in line.strip() or line.startswith("  runcomfy-client ")
            assert fits, line


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("words", [("pending",), ("jobs",), ("models", "kling")])
def test_tables_fit(screen: Screen, cli: Cli, quick_sim: Simulator, words: tuple[str, ...], columns: int) -> None:
    request_id = cli("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", "scene 12", sim=quick_sim).out.strip()
    text = CONTROL.sub("", screen(*words, columns=columns))
    assert max(len(line.rstrip()) for line in text.splitlines()) <= columns
    if words != ("models", "kling"):
        assert request_id in text
        assert TEXT_TO_IMAGE in text
        assert "scene 12" in text


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_no_model_id_is_cut(screen: Screen, cli: Cli, columns: int) -> None:
    lines = CONTROL.sub("", screen("models", columns=columns)).splitlines()
    listed = [line.split("\t")[0] for line in cli("models").out.splitlines()]
    assert [model_id for model_id in listed if not any(line.split()[:1] == [model_id] for line in lines)] == []


def test_narrow_lists_keep_their_indent_and_leave_no_blanks(
    screen: Screen, cli: Cli, quick_sim: Simulator, environment: dict[str, str]
) -> None:
    key = "a-very-long-name-of-a-job-that-fills-the-line"
    request_id = cli("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", key, sim=quick_sim).out.strip()
    for words in (("jobs",), ("pending",)):
        lines = CONTROL.sub("", screen(*words, columns=60)).replace("\r", "").splitlines()
        at = lines.index(request_id)
        rest = [line for line in lines[at + 1 :] if line.startswith("  ")]
        assert len(rest) >= 2
        assert key in rest[-1]
        assert all(line == line.rstrip() for line in lines)
        assert all(line.startswith("  ") for line in lines[at + 1 : at + 1 + len(rest)])
    # An empty journal is named in a way that fits: with ~ for the home folder.
    home = {"XDG_STATE_HOME": f"{environment['HOME']}/empty"}
    assert "Nothing is pending in ~/empty/" in " ".join(CONTROL.sub("", screen("pending", columns=60, **home)).split())


def test_ctrl_c_clears_the_live_line(environment: dict[str, str], tmp_path: Path) -> None:
    import pty
    import signal

    with Simulator(SCHEMAS, queue_seconds=0, run_seconds=60) as sim:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [str(SCRIPT), "run", TEXT_TO_IMAGE, "prompt=x"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=tmp_path,
            env={
                **environment,
                "TERM": "xterm-256color",
                "RUNCOMFY_BASE_URL": sim.url,
                "RUNCOMFY_API_TOKEN": sim.token,
            },
        ) as process:
            os.close(theirs)
            seen = b""
            while b"running" not in seen:
                seen += _read(ours)
            process.send_signal(signal.SIGINT)
            while piece := _read(ours):
                seen += piece
        os.close(ours)
    last = screen_lines(seen.decode())
    assert not [line for line in last if "running " in line and " s" in line], last
    assert "still runs and is paid for" in " ".join(" ".join(last).split())
    assert any(line.startswith("  runcomfy-client result ") for line in last), last


def screen_lines(text: str) -> list[str]:
    """What stands on the screen in the end: lines that were cleared are gone."""
    lines = [""]
    row = 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            continue
        elif part.startswith("\x1b["):
            if part.endswith("A"):
                row = max(0, row - int(part[2:-1] or 1))
            elif part.endswith("K"):
                lines[row] = ""
        else:
            lines[row] = part if lines[row].isspace() or not lines[row] else lines[row] + part
    return lines
