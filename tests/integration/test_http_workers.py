"""Two processes take outputs over HTTP for one monitor; one of them is killed."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.cli import run_command_line
from monitor.storage.store import Store
from monitor.storage.streams import PartitionRow

MONITOR = "loans/production"
START = 1_767_225_600
N_BODIES, OF_EACH = 24, 50
CONFIGURATION = """
version: 1
system: {{name: loans, stakes: consequential}}
source: {{type: http, port: {port}}}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: income, role: numeric}}
windows: {{type: tumbling, seconds: 7200, allowed_lateness_seconds: 86400}}
run: {{checkpoint_seconds: 0.1, telemetry: null}}
baseline: {{directory: baselines, reference: {{paths: [reference.jsonl]}}}}
detectors:
  - {{type: distribution_shift, column: income, rule: threshold}}
storage: {{url: "{url}"}}
"""


def event(number: int) -> dict[str, float]:
    return {"ts": START + number * 60, "income": random.Random(number).gauss(50, 10)}


def body(number: int) -> list[dict[str, float]]:
    return [event(OF_EACH * number + place) for place in range(OF_EACH)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Deployment:
    """Workers of one monitor, each with a port of its own."""

    def __init__(self, folder: Path, url: str, name: str) -> None:
        self.folder, self.url, self.name = folder, url, name
        self._stack = ExitStack()

    def start(self, worker: str) -> tuple[subprocess.Popen[bytes], int]:
        path, port = self._configured(worker)
        log = self._stack.enter_context((self.folder / f"{path.stem}.log").open("wb"))
        command = [sys.executable, "-m", "monitor", "run", str(path)]
        process = self._stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
        self._stack.callback(process.kill)
        self._wait(lambda: self._answers(port))
        return process, port

    def send(self, number: int, *ports: int) -> httpx.Response:
        """Send a body to the first of some workers that answers, always with the same key."""
        for port in ports:
            try:
                return httpx.post(
                    f"http://127.0.0.1:{port}/v1/outputs",
                    json=body(number),
                    headers={"Idempotency-Key": f"body {number}"},
                    timeout=30,
                )
            except httpx.TransportError:
                continue
        raise AssertionError(ports)

    def row(self) -> PartitionRow:
        with Store.open(self.url) as store:
            (row,) = store.streams(MONITOR).partitions()
            return row

    def wait_until_counted(self, n_records: int) -> None:
        self._wait(lambda: self.row().tally.get("n_records", 0) >= n_records)

    def finish(self) -> None:
        """Count what is left and close all windows."""
        path, _ = self._configured("last")
        assert run_command_line(["run", str(path), "--until-caught-up"]) in (0, 3)

    def windows(self) -> dict[Any, bytes]:
        with Store.open(self.url) as store:
            (job,) = store.jobs()
            return {each.key: each.body for each in store.windows(job.id)}

    def close(self) -> None:
        self._stack.close()

    def _configured(self, worker: str) -> tuple[Path, int]:
        port = free_port()
        path = self.folder / f"{self.name}-{worker}.yaml"
        path.write_text(CONFIGURATION.format(port=port, url=self.url))
        return path, port

    def _answers(self, port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/v1/outputs").status_code == 405
        except httpx.TransportError:
            return False

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline, self._logs()
            time.sleep(0.05)

    def _logs(self) -> str:
        return "\n".join(path.read_text()[-2_000:] for path in self.folder.glob("*.log"))


@pytest.fixture
def deployed(tmp_path: Path, new_url) -> Iterator[Callable[[str], Deployment]]:
    lines = [json.dumps(event(number)) for number in range(4_000)]
    (tmp_path / "reference.jsonl").write_text("\n".join(lines))
    (tmp_path / "fit.yaml").write_text(CONFIGURATION.format(port=0, url="sqlite://"))
    fitting = ["baseline", "fit", str(tmp_path / "fit.yaml"), "--promote", "--who", "Ada"]
    assert run_command_line([*fitting, "--why", "a test"]) == 0
    with ExitStack() as stack:

        def deploy(name: str) -> Deployment:
            made = Deployment(tmp_path, new_url(), name)
            stack.callback(made.close)
            return made

        yield deploy


def test_what_two_workers_accepted_is_counted_once_although_one_is_killed(deployed) -> None:
    quiet, disturbed = deployed("quiet"), deployed("disturbed")
    _, only = quiet.start("only")
    for number in range(N_BODIES):
        quiet.send(number, only)
    first, first_port = disturbed.start("first")
    second, second_port = disturbed.start("second")
    statuses = []

    for number in range(N_BODIES):
        if number == 9:
            counted_by = disturbed.row().owner
        if number == 10:
            # It has just answered for body 9, and was counting for both.
            os.kill(second.pid, signal.SIGKILL)
            second.wait()
        ports = (second_port, first_port) if number % 2 else (first_port, second_port)
        statuses.append(disturbed.send(number, *ports).status_code)
    statuses.append(disturbed.send(9, first_port).status_code)
    disturbed.wait_until_counted(N_BODIES * OF_EACH)
    row = disturbed.row()
    first.send_signal(signal.SIGTERM)
    first.wait(60)
    quiet.wait_until_counted(N_BODIES * OF_EACH)
    quiet.close()
    for each in (quiet, disturbed):
        each.finish()

    assert statuses == [202] * N_BODIES + [200]
    assert counted_by.endswith(f":{second.pid}")
    assert row.owner.endswith(f":{first.pid}")
    assert row.tally["n_records"] == row.tally["n_rows"] == N_BODIES * OF_EACH
    assert disturbed.windows() == quiet.windows()
    assert len(quiet.windows()) == N_BODIES * OF_EACH // 120


def test_a_worker_that_stops_hands_counting_over_at_once(deployed) -> None:
    both = deployed("both")
    first, first_port = both.start("first")
    second, _ = both.start("second")
    both.send(0, first_port)
    both.wait_until_counted(OF_EACH)

    second.send_signal(signal.SIGTERM)
    ending = second.wait(60)
    released = both.row().owner
    both.send(1, first_port)
    both.wait_until_counted(2 * OF_EACH)

    assert ending in (0, 3)
    assert not released.endswith(f":{second.pid}")
    assert both.row().owner.endswith(f":{first.pid}")
