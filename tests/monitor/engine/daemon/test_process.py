"""The life of the process: signals, a new configuration, telemetry, and two of them at once."""

import http.client
import io
import json
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import SystemClock
from monitor.engine.daemon.process import Process
from monitor.storage.store import Store
from monitor.telemetry.logs import configure_logging
from tests.monitor.engine.daemon.toy import configure, counted_rows, events, lines


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """Return what the process logs."""
    stream = io.StringIO()
    configure_logging("info", stream=stream, json_lines=True)
    yield stream
    configure_logging("error", stream=io.StringIO())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configure(tmp_path)
    (tmp_path / "logs" / "a.jsonl").write_text(lines(events(0, 6, seed=2)))
    return tmp_path


class Running:
    """A process in a thread of the test, ended with the test."""

    def __init__(self, path: Path, worker: str = "one") -> None:
        self.process = Process(path=str(path), clock=SystemClock(), worker=worker)
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.process.run()
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        self.process.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()


def until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.05)


def sentences(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def said(stream: io.StringIO, sentence: str) -> list[dict[str, Any]]:
    return [line for line in sentences(stream) if line["message"] == sentence]


def n_rows(folder: Path) -> int:
    """Return how many outputs were counted; unlike a store, it writes nothing to look."""
    return counted_rows(folder / "state.db")


def test_a_new_configuration_is_taken_over_once_and_a_broken_one_not_at_all(
    folder: Path, logs: io.StringIO
) -> None:
    path = folder / "monitor.yaml"
    good = path.read_text()
    running = Running(path)
    until(lambda: said(logs, "a worker begins"))

    path.write_text(good.replace("volume", "volum"))
    running.process._reload.set()
    until(lambda: said(logs, "the new configuration is refused, the old one stays"))
    path.write_bytes(b"\xff\xfe broken")
    running.process._reload.set()
    until(lambda: len(said(logs, "the new configuration is refused, the old one stays")) == 2)
    path.write_text(good.replace("for_windows: 2", "for_windows: 3"))
    running.process._reload.set()
    until(lambda: len(said(logs, "a worker begins")) == 2)
    with (folder / "logs" / "a.jsonl").open("a") as file:
        file.write(lines(events(6, 3, seed=3)))
    threading.Event().wait(1.5)
    running.stop()

    assert running.error is None
    assert len(said(logs, "the new configuration is taken over")) == 1
    assert len(said(logs, "a worker begins")) == 2
    assert n_rows(folder) == len(events(0, 6, seed=2)) + len(events(6, 3, seed=3))


def test_health_becomes_ready_and_the_metrics_balance(tmp_path: Path, logs: io.StringIO) -> None:
    path = configure(tmp_path)
    path.write_text(path.read_text().replace("telemetry: null", 'telemetry: "127.0.0.1:0"'))
    (tmp_path / "logs" / "a.jsonl").write_text(lines(events(0, 6, seed=2)) + "{broken\n")
    running = Running(path)
    until(lambda: said(logs, "health and metrics are served"))
    port = said(logs, "health and metrics are served")[0]["port"]

    def asked(place: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", place)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    until(lambda: asked("/readyz")[0] == 200)
    until(lambda: n_rows(tmp_path) > 0)
    alive, (_, metrics) = asked("/healthz")[0], asked("/metrics")
    running.stop()

    number = r" ([0-9.e+]+)$"
    unaccounted = re.search(f"^outputwatch_unaccounted_records{number}", metrics, re.MULTILINE)
    assert alive == 200
    assert unaccounted is not None
    assert float(unaccounted.group(1)) == 0
    assert re.search(f"^outputwatch_\\w*records\\w*{number}", metrics, re.MULTILINE) is not None


def test_a_database_that_is_locked_for_a_while_delays_and_loses_nothing(
    folder: Path, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.storage.connection._BUSY_TIMEOUT_MS", 100)
    running = Running(folder / "monitor.yaml")
    until(lambda: n_rows(folder) == len(events(0, 6, seed=2)))
    blocker = sqlite3.connect(folder / "state.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    with (folder / "logs" / "a.jsonl").open("a") as file:
        file.write(lines(events(6, 3, seed=3)))
    # A new file must be claimed, which is a write too.
    (folder / "logs" / "b.jsonl").write_text(lines(events(7, 2, seed=4)))
    until(lambda: said(logs, "the database could not be written"))
    threading.Event().wait(1.5)
    blocker.execute("ROLLBACK")
    blocker.close()
    expected = len(events(0, 6, seed=2) + events(6, 3, seed=3) + events(7, 2, seed=4))
    until(lambda: n_rows(folder) >= expected)
    running.stop()

    assert running.error is None
    assert n_rows(folder) == expected


def test_a_database_that_stays_away_ends_the_process_with_a_sentence_and_no_parameters(
    tmp_path: Path, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.storage.connection._BUSY_TIMEOUT_MS", 50)
    path = configure(tmp_path, run="database_patience_seconds: 1")
    (tmp_path / "logs" / "a.jsonl").write_text(lines(events(0, 2, seed=2)))
    running = Running(path)
    until(lambda: n_rows(tmp_path) == len(events(0, 2, seed=2)))
    database = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    # Any write of a letter fails, and the statement's parameters hold the record's text.
    database.execute(
        "CREATE TRIGGER t BEFORE INSERT ON stream_letter BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    database.close()

    with (tmp_path / "logs" / "a.jsonl").open("a") as file:
        file.write("{my secret\n")
    running.thread.join(30)

    assert "more than run.database_patience_seconds" in str(running.error)
    assert "\n" not in str(running.error)
    assert "secret" not in str(running.error)
    assert "secret" not in logs.getvalue()


def test_of_two_workers_of_the_same_files_the_second_takes_over_and_the_first_says_so(
    folder: Path, logs: io.StringIO
) -> None:
    first = Running(folder / "monitor.yaml", "first")
    until(lambda: n_rows(folder) == len(events(0, 6, seed=2)))
    second = Running(folder / "monitor.yaml", "second")
    until(lambda: said(logs, "another worker owns a partition"))

    with (folder / "logs" / "a.jsonl").open("a") as file:
        file.write(lines(events(6, 3, seed=3)))
    until(lambda: n_rows(folder) >= len(events(0, 6, seed=2)) + len(events(6, 3, seed=3)))
    first.stop()
    second.stop()

    assert (first.error, second.error) == (None, None)
    assert n_rows(folder) == len(events(0, 6, seed=2)) + len(events(6, 3, seed=3))
    with Store.open(f"sqlite:///{folder}/state.db") as store:
        assert {each.owner for each in store.streams("toy/test").partitions()} == {"second"}


def test_many_windows_are_logged_in_one_line_of_a_checkpoint(
    folder: Path, logs: io.StringIO
) -> None:
    Process(path=str(folder / "monitor.yaml"), clock=SystemClock(), until_caught_up=True).run()

    closed = said(logs, "windows closed")
    assert sum(line["stretches"] for line in closed) == 6
    assert sum(line["rows"] for line in closed) == len(events(0, 6, seed=2))
    assert len(closed) < 3
    assert not said(logs, "window closed")


COMMAND = """
import sys
from monitor.cli import run_command_line
status = run_command_line(sys.argv[1:])
heavy = {"pandas", "sklearn", "evidently", "plotly", "rich"} & set(sys.modules)
sys.stderr.write(f"imported: {sorted(heavy)}\\n")
sys.exit(status)
"""


def test_sigterm_writes_what_was_read_and_ends_well_without_the_heavy_libraries(
    folder: Path,
) -> None:
    arguments = ["run", str(folder / "monitor.yaml"), "--json"]
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        until(lambda: (folder / "state.db").exists() and n_rows(folder) > 0)
        child.send_signal(signal.SIGHUP)
        threading.Event().wait(1.0)
        child.send_signal(signal.SIGTERM)
        output, errors = child.communicate(timeout=60)

    assert child.returncode == 0, errors
    assert json.loads(output)["ending"] == "stopped"
    assert json.loads(output)["n_rows"] == len(events(0, 6, seed=2))
    assert "imported: []" in errors
    assert errors.count("the new configuration is taken over") == 1
