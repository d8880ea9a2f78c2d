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
    names
        What each group of levels is called; empty for ordered groups.
    bounds
        Lower and upper bounds of ordered groups, of shape (n_groups, 2); None for levels.
    unit
        The unit of the bounds.
    """

    groups: npt.NDArray[np.intp]
    names: tuple[str, ...] = ()
    bounds: npt.NDArray[np.float64] | None = None
    unit: str = ""

    @property
    def n_groups(self) -> int:
        """Return how many groups there are."""
        return len(self.names) if self.bounds is None else len(self.bounds)

    def merge(self, counts: _Counts) -> _Counts:
        """Return the counts of the groups, given those of the values."""
        merged = np.zeros(self.n_groups, dtype=np.int64)
        np.add.at(merged, self.groups, counts)
        return merged

    def label(self, first: int, last: int) -> str:
        """Return what the groups `first` to `last` are called together."""
        if self.bounds is None:
            return plain(self.names[first])
        return _range_text(float(self.bounds[first, 0]), float(self.bounds[last, 1]), self.unit)


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
    names = [axis.levels[code] for code in kept]
    names += [f"the {n_levels - len(kept)} rarer levels"] if rest else []
    return Grouping(groups, (*names, "levels that the baseline does not know"))


def _group_bins(axis: NumericAxis, reference: _Counts, unit: str) -> Grouping:
    inner = reference[1:-1]
    middle = np.cumsum(inner) - inner / 2
    quantile = middle / max(int(inner.sum()), 1)
    raw = np.minimum((quantile * _NUMERIC_GROUPS).astype(np.intp), _NUMERIC_GROUPS - 1)
    inner_groups = np.unique(raw, return_inverse=True)[1]
    n_inner = int(inner_groups[-1]) + 1
    first_bin = np.searchsorted(inner_groups, np.arange(n_inner))
    starts = np.concatenate([[-np.inf], axis.edges[first_bin], axis.edges[-1:], [np.inf]])
    groups = np.concatenate([[0], inner_groups + 1, [n_inner + 1]]).astype(np.intp)
    return Grouping(groups, bounds=np.stack([starts[:-1], starts[1:]], axis=1), unit=unit)


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
