"""Units to windows through the ledger: a batch that can be interrupted and resumed."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from baselines.packing import decode_counts
from baselines.summary import Window
from monitor.decoding.base import Rejection
from monitor.engine.closing import Closing, by_bucket
from monitor.engine.partition import Counts
from monitor.engine.progress import Progress
from monitor.engine.work import UnitResult, Work
from monitor.sources.base import Unit
from monitor.storage.ledger import Ledger

__all__ = ["Runner", "closed_windows", "count_units", "merged_counts"]


class Runner(Protocol):
    """Does the work of units, here or elsewhere."""

    def run(self, work: Work, units: Sequence[Unit]) -> Iterator[UnitResult]:
        """Yield the result of each unit once, in any order."""
        ...


def count_units(
    work: Work, units: Sequence[Unit], *, ledger: Ledger, runner: Runner, progress: Progress
) -> None:
    """Count every unit that the ledger does not hold yet, and write each into it."""
    finished = ledger.finished()
    todo = [unit for unit in units if unit.id not in finished]
    progress.start("counting outputs", len(units))
    progress.advance(len(units) - len(todo))
    for result in runner.run(work, todo):
        write_unit(ledger, result)
        progress.advance()


def write_unit(ledger: Ledger, result: UnitResult) -> None:
    """Write what one unit gave, in one transaction."""
    ledger.put(
        result.unit.id,
        n_records=result.tally.n_records,
        n_rows=result.tally.n_rows,
        rejected={str(reason): n for reason, n in result.tally.rejected.items()},
        remarks={str(remark): n for remark, n in result.tally.remarks.items()},
        samples=[_sample(result.unit, rejection) for rejection in result.samples],
        partials=(
            (label, bucket, bucket, body) for (label, bucket), body in result.partials.items()
        ),
    )


def _sample(unit: Unit, rejection: Rejection) -> dict[str, Any]:
    return {
        "reason": rejection.reason.value,
        "path": rejection.path,
        "start": unit.start or 0,
        "row_group": unit.row_group,
        "line": rejection.line,
        "column": rejection.column,
        "detail": rejection.detail,
        "excerpt": rejection.excerpt,
    }


def merged_counts(ledger: Ledger, n_cells: int) -> Iterator[tuple[int, str, Counts]]:
    """Yield (bucket, slice, counts) in that order, added up over the units."""
    for bucket, _, label, bodies in ledger.merged():
        total = np.zeros(n_cells, dtype=np.int64)
        for body in bodies:
            total += decode_counts(body, n_cells)
        yield bucket, label, total


def closed_windows(ledger: Ledger, closing: Closing) -> Iterator[tuple[Window, ...]]:
    """Yield the windows of each bucket in order of time, a bounded number in memory."""
    return closing.close(by_bucket(merged_counts(ledger, closing.layout.n_cells)))
