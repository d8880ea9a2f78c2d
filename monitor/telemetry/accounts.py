"""What the engine tells metrics about one batch, and the label values that it will use."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["BatchAccount", "Vocabulary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAccount:
    """What became of the records of one batch.

    Parameters
    ----------
    records
        Records that the source handed on.
    rows
        Those counted into a window.
    late, duplicates, outside
        Rows that were not counted, and why.
    rejected
        Records that gave no row, by reason.
    joined
        Labels that became part of their output.
    past_horizon, crowded_out
        Rows that were counted without a label: because their time was over, or because too
        many waited for one.
    waiting
        How many more records wait for their other half; negative if fewer do.
    """

    records: int
    rows: int = 0
    late: int = 0
    duplicates: int = 0
    outside: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    joined: int = 0
    waiting: int = 0
    past_horizon: int = 0
    crowded_out: int = 0

    @property
    def unaccounted(self) -> int:
        """Return records less everything else; not 0: records were lost or counted twice.

        Examples
        --------
        >>> BatchAccount(records=10, rows=7, late=1, rejected={"invalid_json": 2}).unaccounted
        0
        """
        told = self.rows + self.late + self.duplicates + self.outside + self.joined + self.waiting
        return self.records - told - sum(self.rejected.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The values that labels may take; every other value is counted as ``other``.

    Series are there from the start at 0, so that the first event shows as an increase.

    Parameters
    ----------
    reasons
        Why records are rejected.
    notices
        Kinds of notices of a source.
    verdicts
        Of findings.
    states
        Of series.
    tiers
        Of incidents.
    duties
        What is done beside reading.
    """

    reasons: tuple[str, ...]
    notices: tuple[str, ...]
    verdicts: tuple[str, ...]
    states: tuple[str, ...]
    tiers: tuple[str, ...]
    duties: tuple[str, ...] = ()
