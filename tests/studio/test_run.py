"""Running from the page: consent, one submit for a form, jobs that fail, are cancelled or unsure, and restarts."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image
from runcomfy import RunComfy
from runcomfy._index import PACKAGE
from runcomfy_simulator import Simulator
from runcomfy_studio import form
from runcomfy_studio.runs import digest

from tests.support.studio import StudioCaller, StudioThread, form_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runcomfy_simulator.jobs import Job

MODEL = "bytedance/dreamina-4-0/text-to-image"
EDIT = "bytedance/dreamina-4-0/edit"
PROMPT = "f.0"


@pytest.fixture(scope="module")
def module_sim() -> Iterator[Simulator]:
    with Simulator(queue_seconds=0.0, run_seconds=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("paying")


@pytest.fixture(scope="module")
def paying(module_sim: Simulator, folder: Path) -> Iterator[StudioCaller]:
    """A page of a studio that takes the simulator for the real API."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        StudioThread(folder, listener, module_sim.url, module_sim.token) as running,
        StudioCaller(running) as caller,
    ):
        yield caller


class Submits:
    """The simulator, and what it accepted since the test began."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._before = simulator.accepted

    @property
    def accepted(self) -> int:
        return self.simulator.accepted - self._before

    @property
    def jobs(self) -> list[Job]:
        return [*self.simulator.jobs][self._before :]


@pytest.fixture
def sim(module_sim: Simulator) -> Iterator[Submits]:
    yield Submits(module_sim)
    module_sim.clear_script()


def form_with(caller: StudioCaller, prompt: str) -> dict[str, str]:
    return {**caller.form_of(f"/models/{MODEL}"), PROMPT: prompt}


def dialog(caller: httpx.Client, data: dict[str, str], model_id: str = MODEL) -> str:
    reply = caller.post(f"/confirm/{model_id}", data=data)
    assert reply.status_code == 200
    return unescape(reply.text)


def pay(caller: httpx.Client, data: dict[str, str], model_id: str = MODEL) -> httpx.Response:
    """Press Run, then the button that pays."""
    found = re.search(r'hx-post="(/run/[^"]+)"', dialog(caller, data, model_id))
    assert found
    return caller.post(found[1], data=data)


def next_form(reply: httpx.Response, data: dict[str, str]) -> dict[str, str]:
    """The form with the key that the answer brought."""
    found = re.search(r'id="key" value="([^"]+)"', reply.text)
    assert found
    return {**data, "key": found[1]}


def card_when(caller: httpx.Client, name: str, *states: str) -> str:
    """The text of a card, once it is in one of the states."""
    deadline = time.monotonic() + 20
    text = ""
    while time.monotonic() < deadline:
        text = unescape(caller.get(f"/jobs/{name}").text)
        if any(f'class="state {state}"' in text for state in states) and "hx-trigger" not in text:
            return text
        time.sleep(0.05)
    raise AssertionError(text)


def name_in(reply: httpx.Response) -> str:
    found = re.search(r'aria-label="Job ([^"]+)"', reply.text)
    assert found, reply.text
    return found[1]


def test_nothing_is_paid_without_the_button_that_pays(paying: StudioCaller, sim: Submits) -> None:
    data = form_with(paying, "a fox")
    assert paying.post(f"/run/{MODEL}", data=data).status_code == 403
    assert paying.post(f"/run/{MODEL}?pay={'0' * 48}", data=data).status_code == 403
    text = dialog(paying, data)
    assert "not a quote" in text
    assert "Balance" in text
    assert re.search(r"\d+\.\d\d USD", text)
    # The consent is for this input under this key.
    consent = re.search(r'hx-post="(/run/[^"]+)"', text)
    assert consent
    assert paying.post(consent[1], data={**data, PROMPT: "another"}).status_code == 403
    assert paying.post(consent[1], data={**data, "key": "studio-other"}).status_code == 403
    assert sim.accepted == 0
    assert paying.post(consent[1], data=data).status_code == 200
    assert sim.accepted == 1


def test_a_bad_input_opens_no_dialog(paying: StudioCaller, sim: Submits) -> None:
    reply = paying.post(f"/confirm/{MODEL}", data={**form_with(paying, ""), PROMPT: ""})
    assert "<dialog" not in reply.text
    assert reply.headers["HX-Trigger"] == "studio-refused"
    assert sim.accepted == 0


def test_the_dialog_says_what_is_not_known_and_what_is_wrong(paying: StudioCaller, sim: Submits) -> None:
    data = form_with(paying, "a fox")
    sim.simulator.script("catalog 1: 404", "balance 1: 404", "catalog 2: 401")
    text = dialog(paying, data)
    assert "not in the catalog" in text
    assert "not known" in text
    assert "Run and pay</button>" in text
    text = dialog(paying, data)
    assert "RUNCOMFY_API_TOKEN" in text
    assert "Run and pay</button>" not in text


def test_a_double_click_and_a_lost_answer_pay_once(paying: StudioCaller, sim: Submits) -> None:
    data = form_with(paying, "a fox")
    found = re.search(r'hx-post="(/run/[^"]+)"', dialog(paying, data))
    assert found
    with ThreadPoolExecutor(6) as threads:
        replies = list(threads.map(lambda _: paying.post(found[1], data=data), range(6)))
    assert sim.accepted == 1
    assert {name_in(reply) for reply in replies} == {sim.jobs[0].request_id}
    # The browser lost the answer, and its user presses again.
    assert name_in(pay(paying, data)) == sim.jobs[0].request_id
    assert sim.accepted == 1
    # Another press of the form that had its answer is another job.
    pay(paying, next_form(replies[0], data))
    assert sim.accepted == 2


def test_an_old_tab_with_other_settings_learns_of_its_job(paying: StudioCaller, sim: Submits) -> None:
    data = form_with(paying, "a fox")
    pay(paying, data)
    reply = pay(paying, {**data, PROMPT: "a crow"})
    assert "already started a job" in reply.text
    assert sim.accepted == 1
    pay(paying, next_form(reply, {**data, PROMPT: "a crow"}))
    assert [job.input["prompt"] for job in sim.jobs] == ["a fox", "a crow"]


def test_a_reload_goes_on_with_the_same_key_until_there_is_a_job(paying: StudioCaller, sim: Submits) -> None:
    first, again = form_with(paying, "a fox"), form_with(paying, "a fox")
    assert first["key"] == again["key"]
    pay(paying, first)
    assert form_with(paying, "a fox")["key"] != first["key"]


def test_a_lost_reply_of_the_api_is_unsure_and_is_settled(paying: StudioCaller, sim: Submits) -> None:
    sim.simulator.script("submit 1: lost reply")
    data = form_with(paying, "a fox")
    reply = pay(paying, data)
    assert "Nobody can tell" in reply.text
    assert sim.accepted == 1
    name = name_in(reply)
    # Nothing more is sent under this key: not the same input, not another one.
    assert "Nobody can tell" in pay(paying, data).text
    assert "Settle that one first" in pay(paying, {**data, PROMPT: "a crow"}).text
    assert sim.accepted == 1
    assert "Unsure" in paying.get("/pending").text
    assert "Enter the request id" in paying.post(f"/jobs/{name}/settle", data={"request_id": "no id"}).text
    reply = paying.post(f"/jobs/{name}/settle", data={"request_id": sim.jobs[0].request_id})
    assert next_form(reply, data)["key"] == form_with(paying, "a fox")["key"] != data["key"]
    card = card_when(paying, name_in(reply), "completed")
    assert "/results/" in card
    assert sim.accepted == 1


def test_what_was_never_started_is_sent_again(paying: StudioCaller, sim: Submits) -> None:
    sim.simulator.script("submit 1: 503")
    data = form_with(paying, "a fox")
    name = name_in(pay(paying, data))
    assert "Not started" in paying.post(f"/jobs/{name}/settle", data={"started": "no"}).text
    pay(paying, data)
    assert sim.accepted == 1


def test_a_failed_job_says_why(paying: StudioCaller, sim: Submits) -> None:
    sim.simulator.script("job 1: fail the moon is full")
    name = name_in(pay(paying, form_with(paying, "a fox")))
    assert "the moon is full" in card_when(paying, name, "failed")
    assert name in paying.get("/gallery?show=failed").text


def test_a_result_says_what_it_cost_and_can_be_opened_again(paying: StudioCaller, sim: Submits) -> None:
    data = {**form_with(paying, "a fox\nin the snow"), "f.2": "0.25"}
    name = name_in(pay(paying, data))
    card = card_when(paying, name, "completed")
    assert re.search(r"[\d.]+ USD", card)
    text = unescape(paying.get("/gallery").text)
    assert "a fox\nin the snow" in text
    assert f"/results/{name}/1/thumbnail" in text
    assert paying.get(f"/results/{name}/1/thumbnail").headers["content-type"] == "image/png"
    opened = paying.form_of(f"/models/{MODEL}?from={name}")
    assert opened[PROMPT] == "a fox\r\nin the snow"
    assert opened["f.2"] == "0.25"


def test_a_job_of_another_program_is_resumed(paying: StudioCaller, sim: Submits, folder: Path) -> None:
    with RunComfy(sim.simulator.token, sim.simulator.url, journal=folder / "journal.sqlite3") as client:
        job = client.submit(MODEL, {"prompt": "from a script"})
    text = paying.get(f"/jobs/{job.request_id}").text
    assert "Submitted" in text
    assert "hx-trigger" not in text
    assert "Resume" in text
    paying.post(f"/jobs/{job.request_id}/look")
    assert "/results/" in card_when(paying, job.request_id, "completed")
    # A journal that keeps no inputs has no settings to show.
    assert "not on record" in paying.get(f"/results/{job.request_id}").text


def test_a_cost_that_comes_late_is_asked_for(paying: StudioCaller, sim: Submits) -> None:
    sim.simulator.script("job 1: cost after 1000")
    name = name_in(pay(paying, form_with(paying, "a fox")))
    card = card_when(paying, name, "completed")
    assert "USD" not in card
    assert "Ask for the cost" in card
    assert "not stated the cost yet" in paying.post(f"/jobs/{name}/look").text
    sim.simulator.skip(2000)
    assert "0.04 USD" in paying.post(f"/jobs/{name}/look").text


def test_a_dropped_file_is_in_the_form_again_when_its_result_is_opened(paying: StudioCaller, sim: Submits) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    held = paying.post("/uploads", content=picture.getvalue(), headers={"X-File-Name": "cat.png"}).json()["reference"]
    data = {**paying.form_of(f"/models/{EDIT}"), "f.0:rows": "1", "f.0.0": held, "f.1": "a hat"}
    name = name_in(pay(paying, data, EDIT))
    card_when(paying, name, "completed")
    assert paying.form_of(f"/models/{EDIT}?from={name}")["f.0.0"] == held
    assert "cat.png" in paying.get(f"/results/{name}").text


def test_the_page_shows_neither_token_nor_addresses_nor_paths(paying: StudioCaller, sim: Submits, folder: Path) -> None:
    name = name_in(pay(paying, form_with(paying, "a fox")))
    card_when(paying, name, "completed")
    sim.simulator.script("result *: 401", "submit *: 422")
    pages = [paying.get(path).text for path in ("/", f"/models/{MODEL}", "/gallery", f"/results/{name}", "/pending")]
    pages += [pay(paying, form_with(paying, "again")).text, paying.post(f"/jobs/{name}/look").text]
    for text in pages:
        assert sim.simulator.token not in text
        assert f"{sim.simulator.url}/files" not in text
        assert str(folder) not in text
        assert str(Path.home()) + "/" not in text


def test_a_queued_job_is_cancelled(tmp_path: Path) -> None:
    with (
        Simulator(queue_seconds=60) as slow,
        socket.create_server(("127.0.0.1", 0)) as listener,
        StudioThread(tmp_path, listener, slow.url, slow.token, simulate=True) as running,
        StudioCaller(running) as caller,
    ):
        name = name_in(caller.post(f"/run/{MODEL}", data=form_with(caller, "a fox")))
        deadline = time.monotonic() + 20
        while "In the queue" not in (text := caller.get(f"/jobs/{name}").text) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "position" in text
        caller.post(f"/jobs/{name}/cancel")
        card_when(caller, name, "cancelled")
        assert slow.jobs[0].state == "cancelled"


def test_a_limit_refuses_what_would_go_above_it(sim: Submits, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        StudioThread(tmp_path, listener, sim.simulator.url, sim.simulator.token, max_cost=0.05) as running,
        StudioCaller(running) as caller,
    ):
        data = form_with(caller, "a fox")
        first = re.search(r'hx-post="(/run/[^"]+)"', dialog(caller, data))
        assert first
        caller.post(first[1], data=data)
        data = form_with(caller, "a crow")
        assert "limit of 0.05 USD" in dialog(caller, data)
        assert "/run/" not in dialog(caller, data)
        # Also with a consent that is genuine: the submit itself counts.
        payload = form.read(PACKAGE.known_spec(MODEL).input, form.clean(list(data.items()))).payload
        consent = running.studio.keys.sign(f"pay {MODEL} {data['key']} {digest(payload)}")
        assert "budget" in caller.post(f"/run/{MODEL}?pay={consent}", data=data).text
        assert sim.accepted == 1


def test_a_job_whose_id_cannot_be_written_down_is_shown_and_found_again(tmp_path: Path) -> None:
    with (
        Simulator(queue_seconds=0.0, run_seconds=0.05) as slow,
        socket.create_server(("127.0.0.1", 0)) as listener,
        StudioThread(tmp_path, listener, slow.url, slow.token, simulate=True) as running,
        StudioCaller(running) as caller,
    ):
        slow.script("submit 1: drip 20 bytes every 0.1")
        data, journal = form_with(caller, "a fox"), Path(running.settings.journal)
        with ThreadPoolExecutor(1) as threads:
            reply = threads.submit(caller.post, f"/run/{MODEL}", data=data)
            while not journal.exists() or slow.accepted == 0:
                time.sleep(0.02)
            journal.rename(journal.with_suffix(".moved"))
            text = unescape(reply.result().text)
        assert slow.jobs[0].request_id in text
        assert str(tmp_path) not in text
        # With the file back, the job is on record, and can be resumed.
        journal.with_suffix(".moved").rename(journal)
        assert "Resume" in caller.get(f"/jobs/{slow.jobs[0].request_id}").text
        caller.post(f"/jobs/{slow.jobs[0].request_id}/look")
        card_when(caller, slow.jobs[0].request_id, "completed")
        assert slow.accepted == 1


def test_a_killed_studio_goes_on_where_it_was(tmp_path: Path) -> None:
    """`kill -9` while a job runs: nothing is paid twice, and the open tab shows the job's end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Simulator(queue_seconds=0.0, run_seconds=1.5) as slow, tab_of(port) as tab:
        with StudioProcess(tmp_path, port, slow) as (process, link):
            tab.get(link).raise_for_status()
            page = tab.get(f"/models/{MODEL}").text
            key = re.search(r'data-key="([^"]+)"', page)
            assert key
            tab.headers.update({"Origin": f"http://127.0.0.1:{port}", "X-Studio-Key": key[1]})
            data = {**form_in(page), PROMPT: "a fox"}
            name = name_in(pay(tab, data))
            process.send_signal(signal.SIGKILL)
            process.wait()
        with StudioProcess(tmp_path, port, slow):
            # The old tab: its cookie and its page's key are still good.
            assert name_in(pay(tab, data)) == name
            assert "Done" in card_when(tab, name, "completed")
        assert slow.accepted == 1


def tab_of(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)


class StudioProcess:
    """The command in a process of its own; gives the process and its link."""

    def __init__(self, folder: Path, port: int, sim: Simulator) -> None:
        self._folder, self._port, self._sim = folder, port, sim

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", "from runcomfy_client.cli.console import main; main()", "studio"]
        command += ["--no-browser", "--port", str(self._port), "--base-url", self._sim.url]
        environment = {
            **os.environ,
            "XDG_STATE_HOME": str(self._folder),
            "RUNCOMFY_API_TOKEN": self._sim.token,
        }
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        return self._process, found[0]

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()
