"""Duties beside reading: contained, ended with the worker; timers fire once and are told."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import FixedClock, SystemClock
from monitor.config.load import load_configuration
from monitor.engine.daemon.attending import DUTIES, Attendant, Duty, attending, duties_of
from monitor.engine.daemon.telling import vocabulary
from monitor.storage.store import Store
from monitor.telemetry.metrics import Metrics
from tests.monitor.engine.daemon.toy import configure, events, lines

NOTIFIERS = """
notifiers:
  channels:
    - type: webhook
      channel: own
      url: http://127.0.0.1:{port}/
      secret: sesame
      timeout_seconds: 5
      allow_private: true
"""
HOUR_US = 3_600_000_000


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(vocabulary(), version="1")


def failures(metrics: Metrics, duty: str) -> float | None:
    return metrics.registry.get_sample_value("outputwatch_duty_failures_total", {"duty": duty})


def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    pytest.fail("it did not happen in time")


def test_an_error_of_one_duty_is_counted_and_the_others_go_on(metrics: Metrics) -> None:
    done: list[str] = []

    def broken(_: threading.Event) -> None:
        done.append("broken")
        raise ZeroDivisionError

    duties = [
        Duty(name="timers", every_seconds=1.0, do=broken),
        Duty(name="other", every_seconds=3.0, do=lambda _: done.append("other")),
    ]
    seconds = iter([0.0] * 4 + [1.5] * 3 + [4.0] * 4)
    attendant = Attendant(
        duties=duties,
        metrics=metrics,
        clock=FixedClock(7_000_000),
        monotonic=lambda: next(seconds),
    )

    for _ in range(3):
        attendant.attend()

    assert done == ["broken", "other", "broken", "broken", "other"]
    assert failures(metrics, "timers") == 3
    name = "outputwatch_last_duty_timestamp_seconds"
    assert metrics.registry.get_sample_value(name) == 7


def test_what_is_being_done_when_the_worker_stops_is_told_to_stop_and_waited_for(
    metrics: Metrics,
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def long(stopping: threading.Event) -> None:
        begun.set()
        assert stopping.wait(30)
        ended.set()

    duty = Duty(name="timers", every_seconds=1.0, do=long)

    with attending([duty], metrics, SystemClock()):
        assert begun.wait(30)

    assert ended.is_set()
    assert failures(metrics, "timers") == 0


def test_every_duty_has_a_series_of_its_own_in_the_metrics(
    tmp_path: Path, metrics: Metrics
) -> None:
    configuration = load_configuration(configure(tmp_path))
    with Store.open("sqlite://") as store:
        duties = duties_of(store, configuration, SystemClock(), metrics)

    assert tuple(duty.name for duty in duties) == DUTIES


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((self.headers["Idempotency-Key"], json.loads(body)["notice"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the output of tests clean."""


@pytest.fixture
def server() -> Iterator[Any]:
    running: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Taking)
    running.got = []
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def path(tmp_path: Path, server: Any) -> Path:
    made = configure(tmp_path, more=NOTIFIERS.format(port=server.server_address[1]))
    drifting = events(0, 20, seed=2, drift_from=4, drift_until=20)
    (tmp_path / "logs" / "a.jsonl").write_text(lines(drifting))
    return made


@pytest.fixture
def started() -> Iterator[Callable[[Path, str], subprocess.Popen[bytes]]]:
    """Return what starts a worker as a process of its own."""
    running: list[subprocess.Popen[bytes]] = []

    def start(path: Path, worker: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "monitor", "run", str(path), "--worker", worker]
        log = (path.parent / f"{worker}.log").open("wb")
        with log:
            running.append(subprocess.Popen(command, stderr=log, stdout=log))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait(30)


def timers(path: Path) -> list[tuple[str, int, int | None]]:
    """Return incident, due time and firing time of every timer that was not cancelled."""
    database = path.parent / "state.db"
    if not database.is_file():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(
                "SELECT incident_id, due_us, fired_us FROM incident_timer "
                "WHERE cancelled_us IS NULL"
            ).fetchall()
        except sqlite3.OperationalError:
            # The tables are not there yet.
            return []


def told(path: Path, kind: str) -> list[dict[str, Any]]:
    """Return what the timelines tell in entries of a kind."""
    database = f"file:{path.parent / 'state.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        rows = connection.execute(
            "SELECT body FROM incident_entry WHERE kind = ? ORDER BY recorded_us, seq", (kind,)
        ).fetchall()
    return [json.loads(body) for (body,) in rows]


def deliveries(path: Path) -> set[str]:
    """Return the states of all notices."""
    database = f"file:{path.parent / 'state.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        return {state for (state,) in connection.execute("SELECT state FROM outbox")}


def test_timers_of_killed_workers_fire_once_late_and_the_webhook_gets_each_notice_once(
    path: Path, server: Any, started: Callable[[Path, str], subprocess.Popen[bytes]]
) -> None:
    first = started(path, "first")
    # A notice that is being delivered would keep the others waiting until its lease ends.
    until(lambda: timers(path) and deliveries(path) == {"sent"})
    os.kill(first.pid, signal.SIGKILL)
    first.wait(30)
    waiting = timers(path)
    # As if nobody had run for days.
    with closing(sqlite3.connect(path.parent / "state.db")) as database:
        database.execute("UPDATE incident_timer SET due_us = due_us - ?", (100 * HOUR_US,))
        database.commit()

    both = [started(path, worker) for worker in ("second", "third")]
    incidents = {incident for incident, _, _ in waiting}
    until(lambda: len([n for _, n in server.got if n["kind"] == "timer_fired"]) >= len(incidents))
    for process in both:
        process.send_signal(signal.SIGTERM)
    ended = [process.wait(60) for process in both]

    notices = [(key, n) for key, n in server.got if n["kind"] == "timer_fired"]
    assert set(ended) <= {0, 3}
    assert len(notices) == len({key for key, _ in notices}) == len(incidents)
    entries = told(path, "timer_fired")
    assert len(entries) == len([1 for *_, at in timers(path) if at is not None])
    assert len(entries) >= len(waiting)
    assert all(entry["late"] for entry in entries)
    assert {n["incident_id"] for _, n in notices} == incidents
