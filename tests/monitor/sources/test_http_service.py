"""Outputs sent to a running monitor are counted once, although it is killed in between."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from monitor.cli import run_command_line
from monitor.config.load import load_configuration
from monitor.config.problems import ConfigurationError
from monitor.sources.http import Http

CONFIGURATION = """
version: 1
system: {{name: loans, stakes: consequential}}
source: {{type: http, port: {port}, token: "${{OUTPUTS_TOKEN}}"}}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: income, role: numeric}}
windows: {{type: tumbling, seconds: 86400}}
run: {{checkpoint_seconds: {seconds}, telemetry: null}}
baseline: {{reference: {{paths: [reference.jsonl]}}}}
detectors:
  - {{type: distribution_shift, column: income, rule: threshold}}
"""
START = 1_767_225_600


def event(number: int) -> dict[str, float]:
    chance = random.Random(number)
    return {"ts": START + number * 60, "income": chance.gauss(50, 10)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def port(tmp_path: Path, monkeypatch) -> int:
    """Write a configuration and its baseline; return the port to send to."""
    monkeypatch.setenv("OUTPUTS_TOKEN", "s3cret")
    port = free_port()
    configure(tmp_path, port, seconds=60)
    lines = [json.dumps(event(number)) for number in range(4 * 1_440)]
    (tmp_path / "reference.jsonl").write_text("\n".join(lines))
    command = ["baseline", "fit", str(tmp_path / "monitor.yaml"), "--promote"]
    assert run_command_line([*command, "--who", "Ada", "--why", "a test"]) == 0
    return port


def configure(folder: Path, port: int, *, seconds: float) -> None:
    text = CONFIGURATION.format(port=port, seconds=seconds)
    (folder / "monitor.yaml").write_text(text)


@pytest.fixture
def running(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "monitor", "run", str(tmp_path / "monitor.yaml")]
    log = (tmp_path / "log").open("wb")
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        yield process
        process.kill()


def send(port: int, numbers: range, key: str) -> httpx.Response:
    headers = {"Authorization": "Bearer s3cret", "Idempotency-Key": key}
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.post(
                f"http://127.0.0.1:{port}/v1/outputs",
                json=[event(number) for number in numbers],
                headers=headers,
                timeout=30,
            )
        except httpx.ConnectError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def count(folder: Path, capsys) -> dict[str, object]:
    capsys.readouterr()
    path = str(folder / "monitor.yaml")
    status = run_command_line(["run", path, "--until-caught-up", "--json"])
    assert status in (0, 3)
    return dict(json.loads(capsys.readouterr().out))


def test_what_was_accepted_is_counted_although_the_monitor_was_killed(
    tmp_path, port, running, capsys
) -> None:
    accepted = [send(port, range(100 * n, 100 * n + 100), f"body {n}") for n in range(3)]
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    configure(tmp_path, port, seconds=0.1)

    first, second = count(tmp_path, capsys), count(tmp_path, capsys)

    assert [answer.status_code for answer in accepted] == [202] * 3
    assert first["n_records"] == second["n_records"] == 300


def test_a_monitor_that_is_told_to_stop_counts_what_it_read_and_leaves_the_rest(
    tmp_path, port, running, capsys
) -> None:
    accepted = [send(port, range(100 * n, 100 * n + 100), f"body {n}") for n in range(3)]
    running.send_signal(signal.SIGTERM)
    status = running.wait(60)
    configure(tmp_path, port, seconds=0.1)

    again = count(tmp_path, capsys)

    assert [answer.status_code for answer in accepted] == [202] * 3
    assert status in (0, 3), (tmp_path / "log").read_text()
    assert again["n_records"] == 300


def test_the_token_comes_from_the_environment_and_is_never_shown(tmp_path, port) -> None:
    path = tmp_path / "monitor.yaml"

    source = load_configuration(path, environment={"OUTPUTS_TOKEN": "other"}).source
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(path, environment={"OUTPUTS_TOKEN": "two words"})

    assert isinstance(source, Http)
    assert source.token == "other"
    assert "other" not in repr(source)
    assert "<secret>" in str(raised.value)
    assert "two words" not in str(raised.value)
