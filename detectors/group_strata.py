"""Counts by group within strata."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.base import GroupCount
from detectors.groups import GroupRates, GroupTable
from detectors.outcomes import counted_codes, positive_codes

__all__ = ["GroupStrata", "group_strata"]

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupStrata:
    """Counts by group and stratum.

    Parameters
    ----------
    groups
        The groups.
    rows, positives
        Rows with an outcome, and those with a positive one, of shape (n_groups, n_strata).
    n_unknown_group, n_unknown_stratum
        Rows with an outcome whose group, or whose stratum, is not known.
    """

    groups: tuple[str, ...]
    rows: Counts
    positives: Counts
    n_unknown_group: int
    n_unknown_stratum: int

    def rates(self, min_group_rows: int) -> GroupRates:
        """Return the groups' counts, strata ignored; small groups are suppressed."""
        counts = [
            GroupCount(name, int(n.sum()), int(x.sum()))
            for name, n, x in zip(self.groups, self.rows, self.positives, strict=True)
        ]
        return GroupRates(
            compared=tuple(count for count in counts if count.rows >= min_group_rows),
            suppressed=tuple(count for count in counts if count.rows < min_group_rows),
            n_unknown=self.n_unknown_group,
        )

    def largest(self, rates: GroupRates) -> str:
        """Return which of the compared groups has most rows here, by its rows now if equal."""
        rows = dict(zip(self.groups, self.rows.sum(axis=1).tolist(), strict=True))
        now = {count.group: count.rows for count in rates.compared}
        return max(rates.names, key=lambda name: (rows.get(name, 0), now[name]))


def group_strata(by_group: GroupTable, levels: tuple[str, ...]) -> GroupStrata:
    """Return the counts of a table whose axes are groups, strata and the outcome.

    Parameters
    ----------
    by_group
        The table; its last axis is the outcome.
    levels
        The outcome's levels that count as positive.
    """
    *strata_axes, outcome = by_group.axes
    counted = counted_codes(outcome)
    positive = positive_codes(outcome, levels) & counted
    rows = by_group.counts[..., counted].sum(axis=-1)
    positives = by_group.counts[..., positive].sum(axis=-1)
    known = (slice(None), *(axis.values for axis in strata_axes))
    n_groups = len(by_group.groups)
    inside = rows[known].reshape(n_groups, -1)
    unknown = by_group.unknown[..., counted].sum(axis=-1)
    return GroupStrata(
        groups=by_group.groups,
        rows=inside,
        positives=positives[known].reshape(n_groups, -1),
        n_unknown_group=int(unknown.sum()),
        n_unknown_stratum=int(rows.sum() - inside.sum()),
    )
