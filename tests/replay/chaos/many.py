"""Thousands of seeded runs with faults, and a table of what happened: ``make chaos``.

Nine of ten runs take turns in one process, one of ten is made of real processes.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.brokers.small.broker import SmallBroker
from tests.replay.chaos.outcome import Outcome
from tests.replay.chaos.performance import Stage
from tests.replay.chaos.rehearsal import Rehearsal, rehearsing
from tests.replay.chaos.scenario import Scenario
from tests.replay.chaos.setting import Setting

__all__ = ["main"]

N_SCENARIOS = 5
ROWS = 64
PROCESSES_IN = 10


def main() -> int:
    """Run and print the table; return 1 if any run left something else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    began = time.monotonic()
    shares = [
        range(chosen.first + job, chosen.first + chosen.runs, chosen.jobs)
        for job in range(chosen.jobs)
    ]
    told: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(chosen.jobs) as pool:
        for counted in pool.imap_unordered(_run, shares):
            told += counted
    _write_table(told, time.monotonic() - began)
    return 1 if told["runs that differ"] else 0


def _run(seeds: range) -> Counter[str]:
    """Return what happened in the runs of some seeds."""
    told: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, SmallBroker() as broker:
        setting = Setting.made(Path(folder))
        stage = Stage.filled(setting, _scenario(0), broker)
        expected = cache(lambda number: _undisturbed(setting, number))
        for seed in seeds:
            wanted, found = _ends(seed, setting, stage, expected, told)
            differences = wanted.differences(found)
            told["runs that end the same" if not differences else "runs that differ"] += 1
            if differences:
                sys.stderr.write(f"seed {seed} differs in {', '.join(differences)}\n")
    return told


def _ends(
    seed: int,
    setting: Setting,
    stage: Stage,
    expected: Callable[[int], Outcome],
    told: Counter[str],
) -> tuple[Outcome, Outcome]:
    url = setting.fresh_sqlite(f"run-{seed}")
    if seed % PROCESSES_IN == 0:
        told["runs with real processes"] += 1
        run = stage.performance(seed, url, told)
        return expected(0), run.disturbed(n_blows=1 + seed // 10 % 4, n_workers=1 + seed % 3)
    told["runs with workers that take turns"] += 1
    number = seed % N_SCENARIOS
    with rehearsing():
        rehearsal = _rehearsal(setting, number, seed, url, told)
        if seed % PROCESSES_IN == 1:
            return expected(number), rehearsal.shared(2 + seed % 3, unrest=0.03)
        return expected(number), rehearsal.disturbed(1 + seed % 6, 1 + seed % 3)


def _rehearsal(
    setting: Setting, number: int, seed: int, url: str, told: Counter[str]
) -> Rehearsal:
    return Rehearsal(
        configuration=setting.configuration(url),
        baseline=setting.baseline,
        scenario=_scenario(number),
        seed=seed,
        url=url,
        told=told,
    )


def _undisturbed(setting: Setting, number: int) -> Outcome:
    url = setting.fresh_sqlite(f"undisturbed-{number}")
    with rehearsing():
        found = _rehearsal(setting, number, number, url, Counter()).undisturbed()
    if found.same_as_audit != setting.audited(_scenario(number), f"audit-{number}"):
        message = f"scenario {number}: a run and an audit of the same outputs must agree"
        raise AssertionError(message)
    return found


@cache
def _scenario(number: int) -> Scenario:
    return Scenario.seeded(number, rows=ROWS)


def _write_table(told: Counter[str], seconds: float) -> None:
    width = max(map(len, told))
    for name, number in sorted(told.items()):
        sys.stdout.write(f"{name.strip():<{width}}  {number:>9,}\n")
    sys.stdout.write(f"{'minutes':<{width}}  {seconds / 60:>9.1f}\n")
