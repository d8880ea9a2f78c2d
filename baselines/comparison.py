"""What changed between two baselines: to be read before the new one is put in force."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.baseline import ALL_TRAFFIC, Baseline
from baselines.layout import CategoryAxis, NumericAxis
from baselines.marginals import Marginal, marginal, marginal_columns

__all__ = [
    "BaselineComparison",
    "DistributionChange",
    "LevelChange",
    "RateChange",
    "compare_baselines",
    "total_variation",
]

_MAX_CUTS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """Levels of a category that only one of the baselines has."""

    column: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionChange:
    """How far one column's distribution moved.

    Parameters
    ----------
    column
        The column.
    total_variation
        The share of values that moved, in [0, 1]; None if a baseline has no values.
    uncertainty
        How far off that may be because the bins differ; 0 on the same bins or levels.
    old_missing, new_missing
        The shares of outputs without a value, in [0, 1]; None without outputs.
    """

    column: str
    total_variation: float | None
    uncertainty: float
    old_missing: float | None
    new_missing: float | None

    @property
    def missing_difference(self) -> float:
        """Return by how much the missing rate rose, in [-1, 1]; 0 if either is unknown."""
        return _difference(self.old_missing, self.new_missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange:
    """One rate of a boolean column or a safety check, in both baselines."""

    column: str
    rate: str
    old: float | None
    new: float | None

    @property
    def difference(self) -> float:
        """Return by how much the rate rose, in [-1, 1]; 0 if either is unknown."""
        return _difference(self.old, self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineComparison:
    """What changed from an old to a new baseline, in all traffic.

    Parameters
    ----------
    old_id, new_id
        The baselines.
    old_rows, new_rows
        How many outputs each counted.
    columns_added, columns_removed
        Columns that only the new or only the old one counts, sorted.
    levels
        Categories whose levels differ, by column.
    distributions
        One entry a shared column, the largest change first.
    rates
        One entry a rate of booleans and safety checks, the largest change first.
    """

    old_id: str
    new_id: str
    old_rows: int
    new_rows: int
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    levels: tuple[LevelChange, ...]
    distributions: tuple[DistributionChange, ...]
    rates: tuple[RateChange, ...]


def compare_baselines(old: Baseline, new: Baseline) -> BaselineComparison:
    """Return what changed from `old` to `new`, column by column, in all traffic."""
    before, after = old.references[ALL_TRAFFIC], new.references[ALL_TRAFFIC]
    known, found = set(marginal_columns(old.layout)), set(marginal_columns(new.layout))
    pairs = [(marginal(before, name), marginal(after, name)) for name in sorted(known & found)]
    distributions = [_distribution_change(*pair) for pair in pairs]
    rates = [change for pair in pairs for change in _rate_changes(*pair)]
    return BaselineComparison(
        old_id=old.id,
        new_id=new.id,
        old_rows=before.n_rows,
        new_rows=after.n_rows,
        columns_added=tuple(sorted(found - known)),
        columns_removed=tuple(sorted(known - found)),
        levels=tuple(change for pair in pairs for change in _level_changes(*pair)),
        distributions=tuple(sorted(distributions, key=_size, reverse=True)),
        rates=tuple(sorted(rates, key=lambda change: abs(change.difference), reverse=True)),
    )


def _size(change: DistributionChange) -> float:
    return max(change.total_variation or 0.0, abs(change.missing_difference))


def _difference(old: float | None, new: float | None) -> float:
    return 0.0 if old is None or new is None else new - old


def _distribution_change(old: Marginal, new: Marginal) -> DistributionChange:
    distance, uncertainty = total_variation(old, new)
    return DistributionChange(
        column=old.axis.column,
        total_variation=distance,
        uncertainty=uncertainty,
        old_missing=old.missing.value,
        new_missing=new.missing.value,
    )


def _rate_changes(old: Marginal, new: Marginal) -> Iterable[RateChange]:
    after = {rate.name: rate.value for rate in new.rates()}
    for rate in old.rates():
        if rate.name in after:
            yield RateChange(
                column=old.axis.column, rate=rate.name, old=rate.value, new=after[rate.name]
            )


def _level_changes(old: Marginal, new: Marginal) -> Iterable[LevelChange]:
    if isinstance(old.axis, CategoryAxis) and isinstance(new.axis, CategoryAxis):
        before, after = set(old.axis.levels), set(new.axis.levels)
        if before != after:
            added, removed = tuple(sorted(after - before)), tuple(sorted(before - after))
            yield LevelChange(column=old.axis.column, added=added, removed=removed)


def total_variation(old: Marginal, new: Marginal) -> tuple[float | None, float]:
    """Return the total variation distance of two distributions of values, and its uncertainty.

    Half the sum of absolute differences of shares, missing and non-finite values left out.
    Where levels differ, those that only one side has are counted with *other*: a lower bound.
    Where bins differ, both are compared between at most 15 edges of the old one; the new one's
    cumulative counts are interpolated linearly there, which for one edge can be wrong by no
    more than the larger part of the bin it cuts. The uncertainty is the sum of these parts.

    Returns
    -------
    tuple[float | None, float]
        The distance in [0, 1], None if either has no values or one is numeric and one is not;
        and by how much interpolation may have changed it.

    References
    ----------
    .. [1] A. Tsybakov, Introduction to Nonparametric Estimation, Springer, 2009, section 2.4.
    """
    if not old.present.sum() or not new.present.sum():
        return None, 0.0
    if isinstance(old.axis, CategoryAxis) and isinstance(new.axis, CategoryAxis):
        levels = sorted(set(old.axis.levels) & set(new.axis.levels))
        return _distance(_on_levels(old, levels), _on_levels(new, levels)), 0.0
    if not isinstance(old.axis, NumericAxis) or not isinstance(new.axis, NumericAxis):
        return None, 0.0
    if np.array_equal(old.axis.edges, new.axis.edges):
        return _distance(old.present, new.present), 0.0
    edges = old.axis.edges
    places = np.linspace(0, len(edges) - 1, min(len(edges), _MAX_CUTS)).round().astype(np.intp)
    cuts = edges[places]
    before, _ = _below(old, old.axis, cuts)
    after, uncertainty = _below(new, new.axis, cuts)
    return _distance(_between(before), _between(after)), float(min(1.0, uncertainty.sum()))


def _distance(old: npt.NDArray[np.number], new: npt.NDArray[np.number]) -> float:
    return float(np.abs(old / old.sum() - new / new.sum()).sum() / 2)


def _on_levels(column: Marginal, levels: list[str]) -> npt.NDArray[np.int64]:
    """Return the counts of `levels`, then of all other values."""
    counts = [column.level(level).count for level in levels]
    return np.array([*counts, int(column.present.sum()) - sum(counts)])


def _below(
    column: Marginal, axis: NumericAxis, cuts: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the share of values below each cut, and how far off each may be."""
    shares = column.present / column.present.sum()
    cumulative = np.cumsum(shares)[:-1]
    codes = np.searchsorted(axis.edges, cuts, side="right")
    inside = (codes >= 1) & (codes <= axis.n_bins)
    index = np.clip(codes - 1, 0, axis.n_bins - 1)
    low, high = axis.edges[index], axis.edges[index + 1]
    # Halved so that a bin wider than the largest float does not overflow.
    part = np.where(inside, (cuts / 2 - low / 2) / (high / 2 - low / 2), 0.0)
    below = np.where(inside, cumulative[index] + part * shares[index + 1], 0.0)
    below = np.where(codes > axis.n_bins, cumulative[-1], below)
    # Nothing is known of where the values beyond the edges lie.
    outside = np.where(np.isin(cuts, axis.edges), 0.0, shares[codes])
    between = np.where(part == 0.0, 0.0, np.maximum(part, 1.0 - part) * shares[codes])
    return below, np.where(inside, between, outside)


def _between(below: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.diff(below, prepend=0.0, append=1.0)
