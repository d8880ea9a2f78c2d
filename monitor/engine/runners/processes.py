"""Units in worker processes of this machine."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from baselines.counting import Counter
from monitor.engine.work import UnitResult, Work
from monitor.errors import OutputwatchError
from monitor.sources.base import Unit

__all__ = ["ProcessRunner", "WorkerDiedError"]

MAX_POOLS = 3


class WorkerDiedError(OutputwatchError):
    """Worker processes died again and again."""


@dataclass(frozen=True, slots=True)
class ProcessRunner:
    """Runs units in `workers` processes.

    A worker that dies takes its pool along; what was not finished is given to a new pool, at
    most twice. Results are yielded as they come, each unit once.
    """

    workers: int

    def run(self, work: Work, units: Sequence[Unit]) -> Iterator[UnitResult]:
        """Yield the result of each unit, in the order of completion.

        Raises
        ------
        WorkerDiedError
            If workers died in three pools, for example for want of memory.
        """
        waiting = {unit.id: unit for unit in units}
        for _ in range(MAX_POOLS):
            try:
                for result in self._run_pool(work, tuple(waiting.values())):
                    del waiting[result.unit.id]
                    yield result
            except BrokenProcessPool:
                continue
            return
        unit = next(iter(waiting.values()))
        message = (
            f"worker processes died {MAX_POOLS} times, {len(waiting)} units are left, first "
            f"{unit.path!r} ({unit.position}); run again with one worker to see the cause, what "
            f"is finished is kept"
        )
        raise WorkerDiedError(message)

    def _run_pool(self, work: Work, units: Sequence[Unit]) -> Iterator[UnitResult]:
        # Forking a process that runs threads (arrow, BLAS) can deadlock: workers start afresh.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_start, initargs=(work,)
        ) as pool:
            todo = list(reversed(units))
            running: set[Future[UnitResult]] = set()
            while todo or running:
                while todo and len(running) < 2 * self.workers:
                    running.add(pool.submit(_run, todo.pop()))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()


_worker: list[tuple[Work, Counter]] = []


def _start(work: Work) -> None:
    _worker[:] = [(work, Counter(work.layout))]


def _run(unit: Unit) -> UnitResult:
    work, counter = _worker[0]
    return work.run(unit, counter)
