"""Thousands of seeded runs with faults, and a table of what happened: ``make chaos``.

Nine of ten runs take turns in one process, one of ten is made of real processes; every other one
of these reads from a real Kafka node, if there is Java and Maven.
"""

import argparse
import atexit
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.brokers.kafka_node.jars import missing_programs
from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.small.broker import SmallBroker
from tests.replay.chaos.outcome import Outcome
from tests.replay.chaos.rehearsal import Rehearsal, rehearsing
from tests.replay.chaos.scenario import Scenario
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.space import best_space
from tests.replay.chaos.stage import Stage

__all__ = ["main"]

N_SCENARIOS = 5
ROWS, HOURS = 40, 24
PROCESSES_IN = 10
SEEDS_AT_ONCE = 20
TABLES = 10
FAILED = "runs that differ or did not end"


def main() -> int:
    """Run and print the table; return 1 if any run left something else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    tally = Tally()
    end = chosen.first + chosen.runs
    parts = [
        range(first, min(end, first + SEEDS_AT_ONCE))
        for first in range(chosen.first, end, SEEDS_AT_ONCE)
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.jobs, mp_context=context) as pool:
        running = [pool.submit(_run, part) for part in parts]
        for number, future in enumerate(as_completed(running), start=1):
            tally.add(future.result())
            if number % max(1, len(parts) // TABLES) == 0 and number < len(parts):
                tally.write()
    tally.write()
    return 1 if tally.failed else 0


@dataclass(frozen=True)
class Run:
    """What happened in one run.

    Parameters
    ----------
    told
        How often, by what it was.
    problem
        In what its end differs, or why it did not end; empty if all is well.
    """

    seed: int
    told: Counter[str]
    problem: str = ""


class Tally:
    """What happened in all of them: how often, and in how many runs."""

    def __init__(self) -> None:
        self.failed: dict[int, str] = {}
        self._began = time.monotonic()
        self._n_runs = 0
        self._times: Counter[str] = Counter()
        self._runs: Counter[str] = Counter()

    def add(self, runs: Iterable[Run]) -> None:
        """Take runs in."""
        for run in runs:
            self._n_runs += 1
            self._times += run.told
            self._runs.update(name for name, number in run.told.items() if number)
            if run.problem:
                self.failed[run.seed] = run.problem

    def write(self) -> None:
        """Print the table as it is now."""
        names = sorted(name for name in self._times if self._times[name])
        width = max(map(len, [*names, FAILED]))
        lines = [f"{'':<{width}}  {'times':>9}  {'in runs':>9}"]
        lines += [f"{n:<{width}}  {self._times[n]:>9,}  {self._runs[n]:>9,}" for n in names]
        lines.append(f"{'runs':<{width}}  {'':>9}  {self._n_runs:>9,}")
        lines.append(f"{FAILED:<{width}}  {'':>9}  {len(self.failed):>9,}")
        lines += [f"  seed {seed}: {problem}" for seed, problem in sorted(self.failed.items())]
        lines.append(f"minutes  {(time.monotonic() - self._began) / 60:.1f}\n\n")
        sys.stdout.write("\n".join(lines))
        sys.stdout.flush()


class _Theatre:
    """Brokers, databases and scenarios of one process."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.setting = Setting.made(folder)
        (folder / "space").mkdir()
        self.space = stack.enter_context(best_space(folder / "space"))
        brokers: list[SmallBroker | KafkaNode] = [stack.enter_context(SmallBroker())]
        if not missing_programs():
            (folder / "kafka").mkdir()
            brokers.append(stack.enter_context(KafkaNode(folder / "kafka")))
        self.stages = [
            Stage.filled(self.setting, _scenario(0), broker, self.space) for broker in brokers
        ]
        self.expected: Callable[[int], Outcome] = cache(self._undisturbed)

    def run(self, seed: int) -> Run:
        """Return what happened in the run of a seed."""
        told: Counter[str] = Counter()
        try:
            if seed % PROCESSES_IN == 0:
                wanted, found = self._with_processes(seed, told)
            else:
                wanted, found = self._in_turns(seed, told)
        except Exception as error:
            return Run(seed, told, f"{type(error).__name__}: {error}")
        return Run(seed, told, ", ".join(wanted.differences(found)))

    def _with_processes(self, seed: int, told: Counter[str]) -> tuple[Outcome, Outcome]:
        stage = self.stages[seed // PROCESSES_IN % len(self.stages)]
        told[f"run with real processes on: {stage.broker.description}"] += 1
        url = self.setting.fresh_sqlite("run", self.space.folder)
        run = stage.performance(seed, url, told)
        return self.expected(0), run.disturbed(1 + seed // 10 % 4, 1 + seed % 3)

    def _in_turns(self, seed: int, told: Counter[str]) -> tuple[Outcome, Outcome]:
        told["run with workers that take turns"] += 1
        number = seed % N_SCENARIOS
        wanted = self.expected(number)
        with rehearsing():
            rehearsal = self._rehearsal(number, seed, told)
            if seed % PROCESSES_IN == 1:
                return wanted, rehearsal.shared(2 + seed % 3, unrest=0.03)
            return wanted, rehearsal.disturbed(1 + seed % 6, 1 + seed % 3)

    def _rehearsal(self, number: int, seed: int, told: Counter[str]) -> Rehearsal:
        url = self.setting.fresh_sqlite("turns")
        return Rehearsal(
            configuration=self.setting.configuration(url),
            baseline=self.setting.baseline,
            scenario=_scenario(number),
            seed=seed,
            url=url,
            told=told,
        )

    def _undisturbed(self, number: int) -> Outcome:
        with rehearsing():
            found = self._rehearsal(number, number, Counter()).undisturbed()
        if found.same_as_audit != self.setting.audited(_scenario(number), f"audit-{number}"):
            message = f"scenario {number}: a run and an audit of the same outputs must agree"
            raise AssertionError(message)
        return found


def _run(seeds: range) -> list[Run]:
    """Return what happened in the runs of some seeds."""
    theatre = _theatre()
    return [theatre.run(seed) for seed in seeds]


@cache
def _theatre() -> _Theatre:
    stack = ExitStack()
    atexit.register(stack.close)
    return _Theatre(stack)


@cache
def _scenario(number: int) -> Scenario:
    return Scenario.seeded(number, rows=ROWS, hours=HOURS)
