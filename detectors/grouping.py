"""Merging of an axis's values into a few groups, so that a decision does not drown in noise.

The groups depend on the reference counts only, never on the window.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.layout import Axis, CategoryAxis, NumericAxis
from detectors.wording import number_text, plain, share_text

__all__ = ["Grouping", "group_values", "most_changed"]

_NUMERIC_GROUPS = 16
_LARGEST_LEVELS = 31

_Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Which group each value code of an axis belongs to, and what groups are called.

    Parameters
    ----------
    groups
        Group of each value code, intp of shape (n_values,), from 0 without gaps.
    labels
        What each group is called.
    bounds
        For ordered groups the lower and the upper bound of each, None for levels.
    """

    groups: npt.NDArray[np.intp]
    labels: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...] | None = None
    unit: str = ""

    def merge(self, counts: _Counts) -> _Counts:
        """Return the counts of the groups, given those of the values."""
        merged = np.zeros(len(self.labels), dtype=np.int64)
        np.add.at(merged, self.groups, counts)
        return merged

    def label(self, first: int, last: int) -> str:
        """Return what the groups `first` to `last` are called together."""
        if self.bounds is None or first == last:
            return self.labels[first]
        return _range_text(self.bounds[first][0], self.bounds[last][1], self.unit)


def group_values(axis: Axis, reference: _Counts, unit: str = "") -> Grouping:
    """Return the groups that drift on an axis is decided on.

    Numeric: 16 groups of nearly equal reference rows (a value that many rows share stays
    whole), and values below and above all edges apart. Category: the 31 most frequent
    levels, the remaining ones together, and the levels that the baseline does not know.

    Parameters
    ----------
    axis
        The axis of the table.
    reference
        Counts of its values, of shape (n_values,).
    unit
        The column's unit.
    """
    if isinstance(axis, CategoryAxis):
        return _group_levels(axis, reference)
    return _group_bins(axis, reference, unit)


def most_changed(
    grouping: Grouping, expected: _Counts, observed: _Counts, *, of: str = "outputs"
) -> str:
    """Return in words which groups have become most over- and under-represented.

    Parameters
    ----------
    grouping
        The groups.
    expected, observed
        Counts of the groups in the reference and in the window, neither empty.
    of
        What was counted.
    """
    p, q = expected / expected.sum(), observed / observed.sum()
    parts: list[str] = []
    for word, excess in (("over-represented", q - p), ("under-represented", p - q)):
        first, last = _run(excess, ordered=grouping.bounds is not None)
        if excess[first] > 0:
            now, normal = q[first : last + 1].sum(), p[first : last + 1].sum()
            parts.append(
                f"most {word}: {grouping.label(first, last)}: "
                f"{share_text(float(now))} of {of}, normally {share_text(float(normal))}"
            )
    return "; ".join(parts)


def _group_levels(axis: CategoryAxis, reference: _Counts) -> Grouping:
    n_levels = len(axis.levels)
    # A stable sort of the negated counts: equal counts stay in the order of the levels.
    order = np.argsort(-reference[:n_levels], kind="stable")
    kept = np.sort(order[:_LARGEST_LEVELS])
    rest = n_levels > len(kept)
    groups = np.full(n_levels + 1, len(kept), dtype=np.intp)
    groups[kept] = np.arange(len(kept))
    groups[axis.other] = len(kept) + rest
    labels = [plain(axis.levels[code]) for code in kept]
    labels += [f"the {n_levels - len(kept)} rarer levels"] if rest else []
    return Grouping(groups, (*labels, "levels that the baseline does not know"))


def _group_bins(axis: NumericAxis, reference: _Counts, unit: str) -> Grouping:
    inner = reference[1:-1]
    middle = np.cumsum(inner) - inner / 2
    quantile = middle / max(int(inner.sum()), 1)
    raw = np.minimum((quantile * _NUMERIC_GROUPS).astype(np.intp), _NUMERIC_GROUPS - 1)
    groups = np.concatenate([[0], np.unique(raw, return_inverse=True)[1] + 1, [0]])
    n_groups = int(groups.max()) + 2
    groups[-1] = n_groups - 1
    bounds = [(-np.inf, float(axis.edges[0]))]
    for group in range(1, n_groups - 1):
        members = np.flatnonzero(groups == group)
        bounds.append((float(axis.edges[members[0] - 1]), float(axis.edges[members[-1]])))
    bounds.append((float(axis.edges[-1]), np.inf))
    labels = tuple(_range_text(low, high, unit) for low, high in bounds)
    return Grouping(groups.astype(np.intp), labels, tuple(bounds), unit)


def _run(excess: npt.NDArray[np.float64], *, ordered: bool) -> tuple[int, int]:
    """Return first and last group of the run round the largest excess."""
    first = last = int(np.argmax(excess))
    # Neighbours with a quarter of the largest excess belong to the same bulge.
    least = max(excess[first] / 4, 0.0)
    while ordered and first > 0 and excess[first - 1] > least:
        first -= 1
    while ordered and last + 1 < len(excess) and excess[last + 1] > least:
        last += 1
    return first, last


def _range_text(low: float, high: float, unit: str) -> str:
    suffix = f" {plain(unit)}" if unit else ""
    if not np.isfinite(low):
        return "all values" if not np.isfinite(high) else f"below {number_text(high)}{suffix}"
    if not np.isfinite(high):
        return f"at least {number_text(low)}{suffix}"
    return f"{number_text(low)} to {number_text(high)}{suffix}"
