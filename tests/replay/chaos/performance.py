"""One seeded run with real processes, a broker and a database that are hurt meanwhile."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from kafka import KafkaProducer

from monitor.config.load import load_configuration
from monitor.engine.incident_desk import monitor_name
from monitor.storage.store import Store
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic
from tests.monitor.storage.conftest import _programs
from tests.replay.chaos.outcome import Outcome, outcome
from tests.replay.chaos.scenario import Scenario, write_configuration
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.steps import STEPS

__all__ = ["Blow", "Performance", "Stage", "fill_topic"]

ROOT = Path(__file__).resolve().parents[3]
SESSION_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05
FINE = (0, 3)


class Blow(StrEnum):
    """A kind of fault from outside."""

    KILLED = "process killed (kill -9) at any instant"
    FROZEN = "process frozen beyond its session, then woken"
    LEFT = "process told to leave (SIGTERM)"
    JOINED = "process joined"
    DROPPED = "connections cut"
    RESTARTED = "broker down and up"
    KICKED = "members kicked from the group"
    LOCKED = "database locked by another program"
    SERVER_DOWN = "database server restarted, without waiting for anybody"


@dataclass
class Performance:
    """A monitor whose workers are processes.

    Parameters
    ----------
    setting, scenario
        What is watched.
    broker, topic
        Where the records are.
    url
        The database.
    seed
        Of what happens.
    told
        Counts what happened.
    server
        The folder of a PostgreSQL server that may be restarted.
    """

    setting: Setting
    scenario: Scenario
    broker: SmallBroker
    topic: str
    url: str
    seed: int
    told: Counter[str] = field(default_factory=Counter)
    server: Path | None = None

    def __post_init__(self) -> None:
        self._chance = random.Random(f"blows {self.seed}")
        self._name = f"processes-{self.seed}"
        self._group = f"{self.topic}-{self._name}"
        self._workers: list[subprocess.Popen[bytes]] = []
        self._started = 0
        rebalancing = self._chance.choice(["cooperative", "eager"])
        source = (
            f"{{type: kafka, bootstrap_servers: ['{self.broker.bootstrap}'], "
            f"topics: [{self.topic}], group: {self._group}, rebalancing: {rebalancing}, "
            f"session_timeout_seconds: {SESSION_SECONDS}, heartbeat_seconds: 0.3, "
            "max_poll_seconds: 10, fetch_wait_seconds: 0.05, fetch_min_bytes: 1}"
        )
        self._path = write_configuration(
            self.setting.folder / f"{self._name}.yaml",
            source=source,
            shared=self.setting.folder,
            storage=self.url,
            checkpoint_seconds=0.3,
        )

    def undisturbed(self) -> Outcome:
        """Return what one process leaves to which nothing happens."""
        return self._finished()

    def disturbed(self, n_blows: int, n_workers: int) -> Outcome:
        """Return what is left after faults, when one process has read the rest."""
        with Store.open(self.url) as store:
            self._streams = store.streams(monitor_name(load_configuration(self._path)))
            self._disturb(n_blows, n_workers)
        return self._finished()

    def _disturb(self, n_blows: int, n_workers: int) -> None:
        try:
            for number in range(n_workers):
                step = STEPS[self.seed % len(STEPS)] if number == 0 else None
                self._start(dies_at=step, countdown=self._chance.choice([1, 2, 7, 20]))
            for _ in range(n_blows):
                self._await_progress(self._chance.random() * 0.4)
                self._blow()
            self._await_progress(self._chance.random() * 0.5)
        finally:
            self._end_all()

    def shared(self, n_workers: int, *, one_leaves: bool = False) -> Outcome:
        """Return what several processes leave that finish on their own."""
        with Store.open(self.url) as store:
            self._streams = store.streams(monitor_name(load_configuration(self._path)))
            self._share(n_workers, one_leaves=one_leaves)
        return self._outcome()

    def _share(self, n_workers: int, *, one_leaves: bool) -> None:
        try:
            for _ in range(n_workers):
                self._start(until_caught_up=True)
            if one_leaves:
                self._await_progress(0.4, PATIENCE_SECONDS)
                self._workers[0].send_signal(signal.SIGTERM)
            for worker in self._workers:
                status = worker.wait(PATIENCE_SECONDS)
                assert status in FINE, f"a worker ended with {status}"
        finally:
            self._end_all()

    def _start(
        self, *, dies_at: str | None = None, countdown: int = 1, until_caught_up: bool = False
    ) -> subprocess.Popen[bytes]:
        self._started += 1
        name = f"{self._name}-{self._started}"
        options = {"until_caught_up": until_caught_up}
        if dies_at is not None:
            options |= {"dies_at": dies_at, "countdown": countdown}
        module = [sys.executable, "-m", "tests.replay.chaos.worker_process"]
        with (self.setting.folder / f"{name}.log").open("wb") as log:
            worker = subprocess.Popen(
                [*module, str(self._path), name, json.dumps(options)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        self._workers.append(worker)
        return worker

    def _blow(self) -> None:
        blow = self._chance.choice(tuple(Blow))
        if blow is Blow.SERVER_DOWN and self.server is None:
            blow = Blow.KILLED
        running = [worker for worker in self._workers if worker.poll() is None]
        if not running or blow is Blow.JOINED:
            self.told[Blow.JOINED] += 1
            self._start(dies_at=self._chance.choice(STEPS), countdown=self._chance.choice([3, 20]))
            return
        victim = self._chance.choice(running)
        match blow:
            case Blow.KILLED:
                victim.kill()
            case Blow.LEFT:
                victim.send_signal(signal.SIGTERM)
            case Blow.FROZEN:
                victim.send_signal(signal.SIGSTOP)
                self._start()
                time.sleep(SESSION_SECONDS * 1.5 + self._chance.random())
                victim.send_signal(signal.SIGCONT)
            case Blow.DROPPED:
                self.broker.drop_connections()
            case Blow.RESTARTED:
                self.broker.stop()
                time.sleep(self._chance.uniform(0.1, 1.0))
                self.broker.start()
            case Blow.KICKED:
                self.broker.kick_members(self._group)
            case Blow.LOCKED:
                self._lock_database()
            case Blow.SERVER_DOWN:
                restart_postgresql(self.server)
        self.told[blow] += 1

    def _lock_database(self) -> None:
        if not self.url.startswith("sqlite"):
            with Store.open(self.url) as store, store.writing() as locking:
                locking.exec_driver_sql("LOCK TABLE monitor IN ACCESS EXCLUSIVE MODE")
                time.sleep(self._chance.choice([0.5, 1.5]))
            return
        connection = sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("BEGIN EXCLUSIVE")
            # Longer than the workers' own patience with it, now and then.
            time.sleep(self._chance.choice([0.5, 1.5, 4.0]))
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            # A frozen worker may hold the lock.
            self.told["database lock not had"] += 1
        finally:
            connection.close()

    def _await_progress(self, share: float, patience_seconds: float = 6.0) -> None:
        """Wait until so much of the records was counted more than now, or nobody works."""
        aim = self._counted() + share * self.scenario.n_records
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline and self._counted() < aim:
            if all(worker.poll() is not None for worker in self._workers):
                return
            time.sleep(LOOK_SECONDS)

    def _counted(self) -> int:
        rows = self._streams.partitions()
        return sum(int(row.tally.get("n_records", 0)) for row in rows)

    def _end_all(self) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.kill()
            status = worker.wait(PATIENCE_SECONDS)
            if status == -signal.SIGKILL:
                self.told["processes killed"] += 1
            elif status not in (*FINE, -signal.SIGTERM):
                self.told["processes ended by an error of their own"] += 1
        self._note_logs()
        self._workers.clear()

    def _note_logs(self) -> None:
        for log in self.setting.folder.glob(f"{self._name}-*.log"):
            text = log.read_text(errors="replace")
            self.told["partitions fenced"] += text.count("another worker")
            self.told["unexpected tracebacks"] += text.count("Traceback")

    def _finished(self) -> Outcome:
        worker = self._start(until_caught_up=True)
        try:
            status = worker.wait(PATIENCE_SECONDS)
        finally:
            log = self.setting.folder / f"{self._name}-{self._started}.log"
            if worker.poll() is None:
                worker.kill()
                worker.wait()
            self._workers.clear()
        assert status in FINE, f"seed {self.seed}: ended with {status}: {log.read_text()[-2000:]}"
        return self._outcome()

    def _outcome(self) -> Outcome:
        with Store.open(self.url) as store:
            return outcome(load_configuration(self._path), store)


@dataclass(frozen=True)
class Stage:
    """A broker with a scenario's records in a topic, for many performances."""

    setting: Setting
    scenario: Scenario
    broker: SmallBroker
    topic: str

    @classmethod
    def filled(cls, setting: Setting, scenario: Scenario, broker: SmallBroker) -> "Stage":
        """Write the records and return the stage."""
        return cls(setting, scenario, broker, fill_topic(broker, scenario))

    def performance(
        self,
        seed: int,
        url: str,
        told: Counter[str] | None = None,
        server: Path | None = None,
    ) -> Performance:
        """Return the performance of a seed on a database."""
        return Performance(
            setting=self.setting,
            scenario=self.scenario,
            broker=self.broker,
            topic=self.topic,
            url=url,
            seed=seed,
            told=Counter() if told is None else told,
            server=server,
        )


def restart_postgresql(folder: Path) -> None:
    """End a test's PostgreSQL server as a crash does, and start it again."""
    programs = _programs()
    assert programs is not None, "the server runs, so its programs are there"
    as_user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    subprocess.run(
        [str(programs / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "-w",
         "-l", str(folder / "log"), "restart"],
        check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
        **(as_user if os.geteuid() == 0 else {}),
    )  # fmt: skip


def fill_topic(broker: SmallBroker, scenario: Scenario) -> str:
    """Write the records of a scenario to a new topic and return its name."""
    topic = create_topic(broker.bootstrap, "outputs", partitions=len(scenario.partitions))
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, batch_size=4_096, linger_ms=5)
    try:
        for partition, payloads in enumerate(scenario.partitions):
            for payload in payloads:
                producer.send(topic, payload, partition=partition)
        producer.flush(timeout=30)
    finally:
        producer.close(timeout=10)
    return topic
