"""Units to rows, with an account of every record."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from baselines.columns import Columns
from baselines.schema import Schema
from monitor.decoding.base import Needs, Rejection, RejectionReason, Remark
from monitor.sources.base import Source, Unit

__all__ = ["Reading", "Tally", "TimeRange"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """A stretch of event time, ``from_us <= time < to_us`` in microseconds; None: open."""

    from_us: int | None = None
    to_us: int | None = None

    def select(self, columns: Columns) -> Columns:
        """Return the rows inside the range."""
        inside = np.ones(columns.n_rows, dtype=np.bool_)
        if self.from_us is not None:
            inside &= columns.time_us >= self.from_us
        if self.to_us is not None:
            inside &= columns.time_us < self.to_us
        return columns if inside.all() else columns.take(inside)


@dataclass(slots=True)
class Tally:
    """What became of the records that were read.

    ``n_records == n_rows + n_outside + sum(rejected.values())`` always holds: every record is
    counted, lies outside the time range that was asked for, or was rejected with a reason.
    """

    n_records: int = 0
    n_rows: int = 0
    n_outside: int = 0
    rejected: Counter[RejectionReason] = field(default_factory=Counter)
    remarks: Counter[Remark] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        self.n_records += other.n_records
        self.n_rows += other.n_rows
        self.n_outside += other.n_outside
        self.rejected.update(other.rejected)
        self.remarks.update(other.remarks)

    @property
    def balances(self) -> bool:
        """Return whether every record is accounted for."""
        accounted = self.n_rows + self.n_outside + self.rejected.total()
        return self.n_records == accounted


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How units are read: what is decoded and which stretch of time is kept.

    Parameters
    ----------
    source
        Where the units come from.
    schema
        The columns, text features included.
    needs
        What is decoded.
    time
        Which rows are kept.
    max_samples
        Rejected records of each reason that are kept as samples of one unit.
    """

    source: Source
    schema: Schema
    needs: Needs
    time: TimeRange
    max_samples: int = 100

    def rows(
        self, unit: Unit, tally: Tally, samples: list[Rejection] | None = None
    ) -> Iterator[Columns]:
        """Yield the unit's rows block by block, adding to `tally` and `samples`."""
        sampled: Counter[RejectionReason] = Counter()
        for decoded in self.source.read(unit, self.schema, self.needs):
            columns = self.time.select(decoded.columns)
            tally.n_records += decoded.n_records
            tally.n_rows += columns.n_rows
            tally.n_outside += decoded.columns.n_rows - columns.n_rows
            tally.rejected.update(decoded.rejected)
            tally.remarks.update(decoded.remarks)
            if samples is not None:
                for rejection in decoded.rejections:
                    if sampled[rejection.reason] < self.max_samples:
                        sampled[rejection.reason] += 1
                        samples.append(rejection)
            yield columns
