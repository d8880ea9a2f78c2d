"""Impact ratios by category, as New York City's Local Law 144 asks bias audits to show them.

The law asks for selection rates (or, for scores, shares above the sample's median) by sex,
by race or ethnicity and by their intersections, each divided by the highest; a category of
less than 2 % of the data may be left out of the ratios, but not out of the table; people of
unknown category are counted. The law names no threshold.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from baselines.layout import NumericAxis
from detectors.base import GroupCount
from detectors.groups import GroupTable

__all__ = ["ImpactRatioRow", "ImpactRatioTable", "above_median", "impact_ratios"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRatioRow:
    """One category.

    Parameters
    ----------
    category
        Its name; of an intersection, the names joined by `` & ``.
    rows, selected
        People in the category, and how many of them were selected or scored above the median.
    rate
        Selected over rows; None for an empty category.
    impact_ratio
        The rate over the highest rate, between 0 and 1; None for an excluded category, or if
        nobody was selected.
    is_excluded
        Whether the category is too small to be compared.
    """

    category: str
    rows: int
    selected: int
    rate: float | None
    impact_ratio: float | None
    is_excluded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRatioTable:
    """The impact ratios by one attribute, or by an intersection of attributes.

    Parameters
    ----------
    attribute
        What the categories are of: ``sex``, or ``sex*race`` for an intersection.
    rows
        One a category, in the order of the attribute's levels.
    n_unknown
        People whose category is not known; they are in no row.
    """

    attribute: str
    rows: tuple[ImpactRatioRow, ...]
    n_unknown: int

    @property
    def lowest(self) -> ImpactRatioRow | None:
        """Return the compared category of the lowest ratio, None if there is no ratio."""
        compared = [row for row in self.rows if row.impact_ratio is not None]
        return min(compared, key=lambda row: row.impact_ratio or 0.0, default=None)

    @property
    def compared(self) -> tuple[GroupCount, ...]:
        """Return the counts of the categories that are not excluded."""
        return tuple(
            GroupCount(row.category, row.rows, row.selected)
            for row in self.rows
            if not row.is_excluded
        )


def impact_ratios(
    attribute: str,
    categories: Sequence[GroupCount],
    *,
    n_unknown: int = 0,
    minimum_share: float = 0.02,
) -> ImpactRatioTable:
    """Return the impact ratio of every category against the highest rate.

    Parameters
    ----------
    attribute
        What the categories are of.
    categories
        Rows and selected rows of each.
    n_unknown
        Rows of unknown category.
    minimum_share
        Categories of less than this share of the rows of known category are excluded: they
        get no ratio and are not the highest.

    References
    ----------
    .. [1] Rules of the City of New York, title 6, sections 5-300 to 5-304.

    Examples
    --------
    >>> table = impact_ratios("sex", [GroupCount("F", 100, 30), GroupCount("M", 100, 40)])
    >>> [row.impact_ratio for row in table.rows]
    [0.75, 1.0]
    """
    total = sum(count.rows for count in categories)
    excluded = [count.rows == 0 or count.rows < minimum_share * total for count in categories]
    compared = itertools.compress(categories, [not is_excluded for is_excluded in excluded])
    highest = max((count.rate or 0.0 for count in compared), default=0.0)
    rows = tuple(
        ImpactRatioRow(
            category=count.group,
            rows=count.rows,
            selected=count.positives,
            rate=count.rate,
            impact_ratio=None if is_excluded else _ratio(count, highest),
            is_excluded=is_excluded,
        )
        for count, is_excluded in zip(categories, excluded, strict=True)
    )
    return ImpactRatioTable(attribute=attribute, rows=rows, n_unknown=n_unknown)


def above_median(table: GroupTable) -> tuple[list[GroupCount], int]:
    """Return each category's rows above the sample's median score, and the rows in its bin.

    The median is that of all rows with a score, also of unknown category. Rows in the median's
    bin are not above it: exact where every bin holds one score, else too low by at most the
    returned number of rows in all.

    Parameters
    ----------
    table
        Counts by group and score bin, the score being the only other axis.
    """
    (axis,) = table.axes
    if not isinstance(axis, NumericAxis):
        message = f"a scoring rate needs a numeric score, got the category {axis.column!r}"
        raise TypeError(message)
    counts, unknown = table.counts[:, axis.values], table.unknown[axis.values]
    total = counts.sum(axis=0) + unknown
    median_bin = int(np.searchsorted(2 * total.cumsum(), total.sum()))
    categories = [
        GroupCount(name, int(row.sum()), int(row[median_bin + 1 :].sum()))
        for name, row in zip(table.groups, counts, strict=True)
    ]
    return categories, int(total[median_bin]) if total.any() else 0


def _ratio(count: GroupCount, highest: float) -> float | None:
    return None if count.rate is None or highest == 0 else count.rate / highest
