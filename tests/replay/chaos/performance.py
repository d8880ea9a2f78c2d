"""One seeded run with real processes, a broker and a database that are hurt meanwhile."""

import json
import random
import re
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from monitor.config.load import load_configuration
from monitor.engine.incident_desk import monitor_name
from monitor.storage.store import Store
from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.small.broker import SmallBroker
from tests.replay.chaos.blows import Blow, restart_postgresql
from tests.replay.chaos.forked import Forked
from tests.replay.chaos.outcome import Outcome, outcome
from tests.replay.chaos.scenario import Scenario, write_configuration
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.space import Space
from tests.replay.chaos.steps import STEPS
from tests.replay.chaos.worker_process import LOST_ANSWER

__all__ = ["BEGAN_AGAIN", "PATIENCE_SECONDS", "Broker", "Performance"]

Broker = SmallBroker | KafkaNode
SESSION_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05
JOIN_SECONDS = 1.5
FINE = (0, 3)
BEGAN_AGAIN = "the worker begins again where the database is"
NO_SPACE = re.compile(r"SQLITE_FULL|SQLITE_IOERR_WRITE")


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
    space
        Where a database in a file is, if it may be filled.
    blows
        What may happen.
    patience_seconds
        How long a worker goes on without its database.
    telemetry
        Where a worker serves health and metrics.
    """

    setting: Setting
    scenario: Scenario
    broker: Broker
    topic: str
    url: str
    seed: int
    told: Counter[str] = field(default_factory=Counter)
    server: Path | None = None
    space: Space | None = None
    blows: tuple[Blow, ...] = tuple(Blow)
    patience_seconds: float = PATIENCE_SECONDS
    telemetry: str = "null"

    def __post_init__(self) -> None:
        self._chance = random.Random(f"blows {self.seed}")
        self._name = f"processes-{self.seed}"
        self._group = f"{self.topic}-{self._name}"
        self._workers: list[Forked] = []
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
            patience_seconds=self.patience_seconds,
            telemetry=self.telemetry,
        )

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look into the database meanwhile; `counted` needs it. In the end, no worker is left."""
        with Store.open(self.url) as store:
            self._streams = store.streams(monitor_name(load_configuration(self._path)))
            try:
                yield
            finally:
                self.end_all()

    def undisturbed(self) -> Outcome:
        """Return what one process leaves to which nothing happens."""
        return self.finished()

    def disturbed(self, n_blows: int, n_workers: int) -> Outcome:
        """Return what is left after faults, when one process has read the rest."""
        with self.watched():
            self._disturb(n_blows, n_workers)
        return self.finished()

    def _disturb(self, n_blows: int, n_workers: int) -> None:
        for number in range(n_workers):
            countdown = self._chance.choice([1, 2, 7, 20])
            if number == 0:
                self.start(dies_at=STEPS[self.seed % len(STEPS)], countdown=countdown)
            else:
                self.start()
        for _ in range(n_blows):
            self.await_progress(self._chance.random() * 0.4)
            self._blow()
        self.await_progress(self._chance.random() * 0.5)

    def shared(self, n_workers: int, *, one_leaves: bool = False) -> Outcome:
        """Return what several processes leave that finish on their own."""
        with self.watched():
            self._share(n_workers, one_leaves=one_leaves)
        return self.outcome()

    def _share(self, n_workers: int, *, one_leaves: bool) -> None:
        for _ in range(n_workers):
            self.start(until_caught_up=True)
        if one_leaves:
            self.await_progress(0.4, PATIENCE_SECONDS)
            self._workers[0].send_signal(signal.SIGTERM)
        for worker in self._workers:
            status = worker.wait(PATIENCE_SECONDS)
            assert status in FINE, f"a worker ended with {status}"

    def start(self, *, until_caught_up: bool = False, **options: str | float) -> Forked:
        """Start a worker; see `worker_process` for the options."""
        self._started += 1
        name = f"{self._name}-{self._started}"
        worker = Forked(
            self.setting.folder / f"{name}.log",
            self._path,
            name,
            json.dumps({"until_caught_up": until_caught_up, **self._haste(), **options}),
        )
        self._workers.append(worker)
        return worker

    def _haste(self) -> dict[str, float]:
        """Return how long to wait for a join; the small broker answers at once."""
        return {"join_seconds": JOIN_SECONDS} if isinstance(self.broker, SmallBroker) else {}

    def _blow(self) -> None:
        blow = self._chance.choice(self.blows)
        if (blow is Blow.SERVER_DOWN and self.server is None) or (
            blow is Blow.DISK_FULL and self.space is None
        ):
            blow = Blow.KILLED
        running = [worker for worker in self._workers if worker.poll() is None]
        if not running or blow is Blow.JOINED:
            self.told[Blow.JOINED] += 1
            self.start(dies_at=self._chance.choice(STEPS), countdown=self._chance.choice([3, 20]))
            return
        victim = self._chance.choice(running)
        match blow:
            case Blow.KILLED:
                victim.kill()
            case Blow.LEFT:
                victim.send_signal(signal.SIGTERM)
            case Blow.FROZEN:
                victim.send_signal(signal.SIGSTOP)
                self.start()
                time.sleep(SESSION_SECONDS * 1.5 + self._chance.random())
                victim.send_signal(signal.SIGCONT)
            case Blow.DROPPED | Blow.RESTARTED | Blow.KICKED:
                blow = self._hurt_broker(blow)
            case Blow.LOCKED:
                self._lock_database()
            case Blow.SERVER_DOWN:
                restart_postgresql(self.server)
            case Blow.DISK_FULL:
                self._fill_disk([worker.pid for worker in running])
            case Blow.UNAWARE:
                self.start(unaware_at=self._chance.choice([1, 2, 5]))
        self.told[blow] += 1

    def _hurt_broker(self, blow: Blow) -> Blow:
        """Do it, or what a real broker can be made to do, and return what was done."""
        if isinstance(self.broker, KafkaNode) or blow is Blow.RESTARTED:
            if isinstance(self.broker, KafkaNode):
                self.broker.kill()
            else:
                self.broker.stop()
            time.sleep(self._chance.uniform(0.1, 1.0))
            self.broker.start()
            return Blow.RESTARTED
        if blow is Blow.DROPPED:
            self.broker.drop_connections()
        else:
            self.broker.kick_members(self._group)
        return blow

    def _fill_disk(self, processes: list[int]) -> None:
        assert self.space is not None
        self.space.fill(self.database, processes)
        try:
            time.sleep(self._chance.uniform(0.3, 2.5))
        finally:
            self.space.free()

    @property
    def database(self) -> Path:
        """The database's file."""
        return Path(self.url.removeprefix("sqlite:///"))

    def _lock_database(self) -> None:
        if not self.url.startswith("sqlite"):
            with Store.open(self.url) as store, store.writing() as locking:
                locking.exec_driver_sql("LOCK TABLE monitor IN ACCESS EXCLUSIVE MODE")
                time.sleep(self._chance.choice([0.5, 1.5]))
            return
        connection = sqlite3.connect(self.database, isolation_level=None)
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("BEGIN EXCLUSIVE")
            # Longer than the workers' own patience with it, now and then.
            time.sleep(self._chance.choice([0.3, 0.8, 1.6]))
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            # A frozen worker may hold the lock.
            self.told["database lock not had"] += 1
        finally:
            connection.close()

    def await_progress(self, share: float, patience_seconds: float = 5.0) -> None:
        """Wait until so much of the records was counted more than now, or nobody works."""
        aim = min(self.counted() + share * self.scenario.n_records, self.scenario.n_records)
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline and self.counted() < aim:
            if all(worker.poll() is not None for worker in self._workers):
                return
            time.sleep(LOOK_SECONDS)

    def counted(self) -> int:
        """Return how many records the database has counted."""
        rows = self._streams.partitions()
        return sum(int(row.tally.get("n_records", 0)) for row in rows)

    def end_all(self) -> None:
        """Kill every worker and note how all of them ended and what they said."""
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
            self.told["commits that went through unawares"] += text.count(LOST_ANSWER)
            self.told["workers that began again by themselves"] += text.count(BEGAN_AGAIN)
            self.told["writes refused for want of space"] += len(NO_SPACE.findall(text))
            if "Traceback" in text:
                message = f"seed {self.seed}: {log.name}: {text[-3_000:]}"
                raise AssertionError(message)

    def finished(self) -> Outcome:
        """Return what is left once one worker has read the rest."""
        worker = self.start(until_caught_up=True)
        try:
            status = worker.wait(PATIENCE_SECONDS)
        finally:
            if worker.poll() is None:
                worker.kill()
                worker.wait(PATIENCE_SECONDS)
            self._workers.clear()
        told = worker.log.read_text()[-2000:]
        assert status in FINE, f"seed {self.seed}: ended with {status}: {told}"
        return self.outcome()

    def outcome(self) -> Outcome:
        with Store.open(self.url) as store:
            return outcome(load_configuration(self._path), store)
