"""One column's counts, taken out of a summary."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.checks import CheckFlag, CheckStatus, outcome_mask
from baselines.layout import Axis, CategoryAxis, Layout, NumericAxis
from baselines.summary import WindowSummary

__all__ = ["Marginal", "Rate", "marginal", "marginal_columns"]

_BOOLEAN_LEVELS = ("false", "true")


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of outputs: `count` of `rows`; `value` is None if there are no rows."""

    name: str
    count: int
    rows: int

    @property
    def value(self) -> float | None:
        """Return count over rows, in [0, 1]."""
        return self.count / self.rows if self.rows else None


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """The counts of one column.

    Parameters
    ----------
    axis
        Its bins or levels.
    counts
        Int64 of shape (axis.size,).
    """

    axis: Axis
    counts: npt.NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Return how many outputs there are, missing values included."""
        return int(self.counts.sum())

    @property
    def present(self) -> npt.NDArray[np.int64]:
        """Return the counts of values that are there: see ``axis.values``."""
        return self.counts[self.axis.values]

    @property
    def missing(self) -> Rate:
        """Return how many outputs have no value."""
        return Rate("missing", int(self.counts[self.axis.missing]), self.n_rows)

    def level(self, name: str) -> Rate:
        """Return how many of the values that are there are `name`.

        Raises
        ------
        ValueError
            If the column has no such level.
        """
        if not isinstance(self.axis, CategoryAxis) or name not in self.axis.levels:
            levels = self.axis.levels if isinstance(self.axis, CategoryAxis) else ()
            message = f"column {self.axis.column!r} has no level {name!r}, it has {levels!r}"
            raise ValueError(message)
        count = int(self.counts[self.axis.levels.index(name)])
        return Rate(name, count, int(self.present.sum()))

    def rates(self) -> tuple[Rate, ...]:
        """Return the rates that a boolean or a safety check stands for; none for others.

        A boolean has its rate of ``true``. A safety check has ``flagged``, among its verdicts,
        and ``no verdict``, the share of its runs that failed, timed out or were skipped.
        """
        if isinstance(self.axis, NumericAxis):
            return ()
        if self.axis.levels == _BOOLEAN_LEVELS:
            return (self.level("true"),)
        return self._check_rates() if self.axis.is_safety_check else ()

    def _check_rates(self) -> tuple[Rate, ...]:
        ok = frozenset({CheckStatus.OK})
        flagged = self._of(outcome_mask(statuses=ok, flags=frozenset({CheckFlag.FLAGGED})))
        clean = self._of(outcome_mask(statuses=ok, flags=frozenset({CheckFlag.CLEAN})))
        failed = self._of(outcome_mask(statuses=frozenset(CheckStatus) - ok))
        runs = self._of(outcome_mask())
        return Rate("flagged", flagged, flagged + clean), Rate("no verdict", failed, runs)

    def _of(self, mask: npt.NDArray[np.bool_]) -> int:
        return int(self.counts[mask].sum())

    def mean(self) -> float | None:
        """Return the mean of a numeric column's values inside the bins, from their centres.

        None for a category, and if no value lies inside the bins. Under- and overflow have no
        centre and are left out.
        """
        if isinstance(self.axis, CategoryAxis):
            return None
        inside = self.counts[1 : self.axis.n_bins + 1]
        total = int(inside.sum())
        return float(np.dot(inside / total, self.axis.centres)) if total else None


def _finest(layout: Layout) -> dict[str, str]:
    """Return the name of each column's own table, the finest if there are several."""
    found: dict[str, tuple[int, str]] = {}
    for table in layout.tables:
        if len(table.axes) == 1:
            axis = table.axes[0]
            best = found.get(axis.column, (0, ""))
            found[axis.column] = max(best, (axis.size, table.name))
    return {column: name for column, (_, name) in found.items()}


def marginal_columns(layout: Layout) -> tuple[str, ...]:
    """Return the columns that have a table of their own, sorted."""
    return tuple(sorted(_finest(layout)))


def marginal(summary: WindowSummary, column: str) -> Marginal:
    """Return the counts of one column, on the finest table it has alone.

    Raises
    ------
    ValueError
        If the layout has no table of this column alone.
    """
    name = _finest(summary.layout).get(column)
    if name is None:
        known = list(marginal_columns(summary.layout))
        message = f"no table holds column {column!r} alone; the columns are {known!r}"
        raise ValueError(message)
    return Marginal(summary.layout.table(name).axes[0], summary.table(name))
