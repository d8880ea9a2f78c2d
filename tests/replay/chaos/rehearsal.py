"""One seeded run with faults in this process, and the same run without any."""

import hashlib
import pickle
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

import monitor.engine.daemon.service as service_module
import monitor.engine.daemon.worker as worker_module
from baselines.baseline import Baseline
from monitor.config.model import Configuration
from monitor.decision import surveillance
from monitor.decision.calibration import Calibrated, calibrated
from monitor.engine.daemon.checkpoint import Checkpoint, CommittedUnawaresError
from monitor.engine.daemon.observing import SilentObserver
from monitor.engine.daemon.service import Service
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store
from tests.replay.chaos.crew import Crew, Member
from tests.replay.chaos.faults import Fate, Fault
from tests.replay.chaos.group import Group, GroupSource, GroupStream
from tests.replay.chaos.outcome import Outcome, outcome
from tests.replay.chaos.scenario import CLOCK, Scenario
from tests.replay.chaos.steps import STEPS, steps_told, told_by

__all__ = ["Rehearsal", "rehearsing"]

RECORDS_AT_ONCE = 12
MAX_TURNS = 6_000
UNREST_TURNS = 200
FAULTS = tuple(Fault)


@contextmanager
def rehearsing() -> Iterator[None]:
    """Wrap the product for rehearsals: small polls, named steps, seconds that members pass."""
    with pytest.MonkeyPatch.context() as patch:
        steps_told(patch)
        patch.setattr(worker_module, "MAX_RECORDS_AT_ONCE", RECORDS_AT_ONCE)
        patch.setattr(surveillance, "calibrated", _calibrated_once)
        yield


@dataclass
class Rehearsal:
    """A monitor whose workers take turns.

    Parameters
    ----------
    configuration, baseline
        What is watched.
    scenario
        The records.
    seed
        Of everything that happens to the workers.
    url
        The database.
    told
        Counts what happened.
    """

    configuration: Configuration
    baseline: Baseline
    scenario: Scenario
    seed: int
    url: str
    told: Counter[str] = field(default_factory=Counter)
    n_started: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(f"faults {self.seed}")
        self._crew = Crew()
        self._fates: dict[str, Fate] = {}
        self._stopping: dict[str, threading.Event] = {}
        self._group = Group(self.scenario, self._chance)

    def undisturbed(self) -> Outcome:
        """Return what one worker leaves to which nothing happens."""
        self._start(until_caught_up=True)
        self._finish()
        return self._outcome()

    def disturbed(self, n_faults: int, n_workers: int) -> Outcome:
        """Return what is left after faults, when one worker has read the rest."""
        self._group.stall, self._group.repeat = 0.15, 0.1
        for _ in range(n_workers):
            self._start(until_caught_up=self._chance.random() < 0.5)
        turns_between = max(1, self.scenario.n_records // 40)
        for number in range(n_faults):
            for _ in range(self._chance.randint(1, turns_between)):
                self._turn()
            first_step = STEPS[self.seed % len(STEPS)] if number == 0 else None
            self._strike(first_step)
        for _ in range(self._chance.randint(1, turns_between)):
            self._turn()
        self._end_all()
        self._group.stall = 0.0
        self._start(until_caught_up=True)
        self._finish()
        return self._outcome()

    def shared(
        self, n_workers: int, *, leave_after: int | None = None, unrest: float = 0.0
    ) -> Outcome:
        """Return what several workers leave who must finish on their own.

        Parameters
        ----------
        n_workers
            How many there are.
        leave_after
            After so many turns, one of them leaves.
        unrest
            How likely in each turn partitions are dealt anew, or a worker is stopped until its
            session has ended; members then also stand still between being given partitions
            and claiming them.
        """
        self._group.stall = 0.5 if unrest else 0.0
        names = [self._start(until_caught_up=True).name for _ in range(n_workers)]
        for turn in range(MAX_TURNS):
            if not self._crew.members:
                return self._outcome()
            if turn == leave_after:
                self._stopping[names[0]].set()
            if turn < UNREST_TURNS and self._chance.random() < unrest:
                self._unsettle()
            self._turn()
        message = f"seed {self.seed}: not finished after {MAX_TURNS} turns"
        raise AssertionError(message)

    def _unsettle(self) -> None:
        if self._chance.random() < 0.5 or len(self._crew.members) < 2:
            self._group.rebalance()
        else:
            self._stop_and_wake(self._chance.choice(self._crew.members))

    def _start(self, *, until_caught_up: bool) -> Member:
        self.n_started += 1
        name = f"worker-{self.n_started}"
        stopping, fate = threading.Event(), Fate(self._chance, self.told)
        self._stopping[name], self._fates[name] = stopping, fate
        member = Member(
            name, lambda me: self._work(me, fate, stopping, until_caught_up=until_caught_up)
        )
        self._crew.add(member)
        return member

    def _work(
        self, member: Member, fate: Fate, stopping: threading.Event, *, until_caught_up: bool
    ) -> None:
        with told_by(fate):
            while not stopping.is_set():
                try:
                    self._follow(member, fate, stopping, until_caught_up=until_caught_up)
                except CommittedUnawaresError:
                    # As the process does.
                    self.told["workers that began again after a commit unawares"] += 1
                    fate.has_begun = False
                    continue
                return

    def _follow(
        self, member: Member, fate: Fate, stopping: threading.Event, *, until_caught_up: bool
    ) -> None:
        source = GroupSource(self._group, member)
        with Store.open(self.url) as store:
            fate.store = store
            service = Service(
                configuration=replace(self.configuration, source=source),
                baseline=self.baseline,
                baseline_of=lambda _: self.baseline,
                store=store,
                policy=FiveAxes(),
                clock=CLOCK,
                name=member.name,
            )
            switch = service.take_up()
            fate.has_begun = True
            service.run(switch, _Counting(self.told), stopping, until_caught_up=until_caught_up)

    def _turn(self) -> None:
        if self._crew.members:
            with pytest.MonkeyPatch.context() as patch:
                steady = SimpleNamespace(monotonic=self._crew.monotonic, sleep=self._crew.sleep)
                patch.setattr(service_module, "time", steady)
                self._crew.move(self._chance.choice(self._crew.members))

    def _finish(self) -> None:
        for _ in range(MAX_TURNS):
            if not self._crew.members:
                return
            self._turn()
        message = f"seed {self.seed}: not finished after {MAX_TURNS} turns"
        raise AssertionError(message)

    def _strike(self, step: str | None) -> None:
        fault = Fault.KILLED_AT_STEP if step else self._chance.choice(FAULTS)
        if not self._crew.members:
            self._start(until_caught_up=self._chance.random() < 0.5)
        member = self._chance.choice(self._crew.members)
        fate = self._fates[member.name]
        countdown = self._chance.choice([1, 1, 2, 5, 12])
        match fault:
            case Fault.KILLED_AT_STEP:
                fate.doom(step or self._chance.choice(STEPS), countdown)
                return
            case Fault.STEP_FAILED:
                fate.fail(self._chance.choice([s for s in STEPS if "commit" not in s]), countdown)
                return
            case Fault.COMMIT_UNCERTAIN:
                fate.fail("after commit", countdown)
                return
            case Fault.DATABASE_AWAY:
                fate.away = self._chance.randint(1, 8)
            case Fault.DISK_FULL:
                fate.full = self._chance.randint(1, 12)
            case Fault.KILLED_ANYWHERE:
                self._kill(member)
            case Fault.ZOMBIE:
                self._stop_and_wake(member)
            case Fault.LEFT:
                self._stopping[member.name].set()
            case Fault.JOINED:
                self._start(until_caught_up=False)
            case Fault.KICKED:
                self._group.rebalance()
        self.told[fault] += 1

    def _kill(self, member: Member) -> None:
        stream = self._stream_of(member)
        member.kill()
        self._crew.members.remove(member)
        if stream is not None:
            self._group.leave(stream)

    def _stop_and_wake(self, member: Member) -> None:
        """Let a worker stand still until the group has given its partitions to others."""
        stream = self._stream_of(member)
        if stream is None:
            return
        stream.expelled = True
        self._group.leave(stream)
        self._crew.members.remove(member)
        if not self._crew.members:
            self._start(until_caught_up=False)
        for _ in range(self._chance.randint(0, 30)):
            self._turn()
        self._crew.members.append(member)

    def _stream_of(self, member: Member) -> GroupStream | None:
        for stream in self._group.streams:
            if stream.member is member:
                return stream
        return None

    def _end_all(self) -> None:
        for member in list(self._crew.members):
            if self._chance.random() < 0.5:
                self._kill(member)
            else:
                self._stopping[member.name].set()
                self._fates[member.name].away = 0
        self._finish()

    def _outcome(self) -> Outcome:
        with Store.open(self.url) as store:
            return outcome(self.configuration, store)


class _Counting(SilentObserver):
    """Counts checkpoints, those that had no space, and partitions lost to another worker."""

    def __init__(self, told: Counter[str]) -> None:
        self._told = told

    def checkpointed(
        self, checkpoint: Checkpoint, *, seconds: float, lag: Mapping[str, int]
    ) -> None:
        """Count."""
        del seconds, lag
        self._told["checkpoints"] += 1
        self._told["partitions fenced"] += len(checkpoint.fenced)

    def database_away(self, error: Exception, *, seconds: float) -> None:
        """Count."""
        del seconds
        driver = getattr(error, "orig", None)
        if getattr(driver, "sqlite_errorname", "") == "SQLITE_FULL":
            self._told["writes refused for want of space"] += 1


@cache
def _known_calibrations() -> dict[bytes, Calibrated]:
    return {}


def _calibrated_once(*arguments: Any, **options: Any) -> Calibrated:
    """Calibrate as the product does, once for all workers of all runs: the result is the same."""
    key = hashlib.sha256(pickle.dumps((arguments, options))).digest()
    known = _known_calibrations()
    if key not in known:
        known[key] = calibrated(*arguments, **options)
    return known[key]
