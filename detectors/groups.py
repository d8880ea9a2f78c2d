"""Counts by group: the cells of one attribute, or of an intersection of several.

An output whose attribute is missing is *unknown*: counted, never compared. Values that the
baseline did not know are one group called ``other``.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.layout import Axis, CategoryAxis, Table
from detectors.base import GroupCount
from detectors.wording import plain, rows_text

__all__ = [
    "GroupRates",
    "GroupTable",
    "group_table",
    "in_both",
    "rates_by_group",
    "rows_and_positives",
]

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupTable:
    """The counts of one table, its group axes made into one.

    Parameters
    ----------
    groups
        The groups' names; those of an intersection are joined by `` & ``.
    counts
        Counts of shape (n_groups, ...), the table's other axes after the first.
    unknown
        Counts of the rows with a missing attribute, of the shape of the other axes.
    axes
        The other axes.
    """

    groups: tuple[str, ...]
    counts: Counts
    unknown: Counts
    axes: tuple[Axis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRates:
    """The rates that are compared.

    Parameters
    ----------
    compared
        Groups of enough rows, in the order of the attribute's levels.
    suppressed
        Groups of fewer rows, which are neither compared nor shown.
    n_unknown
        Rows of the rate's denominator whose group is missing.
    """

    compared: tuple[GroupCount, ...]
    suppressed: tuple[GroupCount, ...] = ()
    n_unknown: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the compared groups."""
        return tuple(count.group for count in self.compared)

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Return the compared groups' rows, of shape (n_groups,)."""
        return np.array([count.rows for count in self.compared], dtype=np.int64)

    @property
    def positives(self) -> npt.NDArray[np.int64]:
        """Return the compared groups' positive rows, of shape (n_groups,)."""
        return np.array([count.positives for count in self.compared], dtype=np.int64)

    @property
    def rates(self) -> npt.NDArray[np.float64]:
        """Return the compared groups' rates, of shape (n_groups,)."""
        return self.positives / self.rows

    @property
    def n_rows(self) -> int:
        """Return how many rows are compared."""
        return sum(count.rows for count in self.compared)

    @property
    def n_counted(self) -> int:
        """Return how many rows the denominators of all groups hold, compared or not."""
        return self.n_rows + sum(count.rows for count in self.suppressed) + self.n_unknown

    def notes(self, attribute: str, min_group_rows: int) -> tuple[str, ...]:
        """Return what a reader must know about rows that are not compared."""
        notes = []
        if self.n_unknown:
            notes.append(f"{rows_text(self.n_unknown)} of unknown {attribute} not compared")
        if self.suppressed:
            named = ", ".join(f"{count.group} ({count.rows})" for count in self.suppressed)
            notes.append(f"groups not compared, fewer than {min_group_rows} outputs: {named}")
        return tuple(notes)


def group_table(
    table: Table, cells: Counts, n_attributes: int, *, keep_empty: bool = False
) -> GroupTable:
    """Return the counts of a table by group.

    A single attribute keeps its empty levels, because a group that vanished matters; empty
    cells of an intersection and an empty ``other`` are left out.

    Parameters
    ----------
    table
        Its first `n_attributes` axes are group attributes, that is categories.
    cells
        Its counts, shaped by its axes.
    n_attributes
        How many attributes make the group, at least 1.
    keep_empty
        Whether every group of the layout is kept, so that they are the same in all windows.
    """
    attributes = [axis for axis in table.axes[:n_attributes] if isinstance(axis, CategoryAxis)]
    total = cells.sum(axis=tuple(range(n_attributes)))
    known = cells[tuple(axis.values for axis in attributes)].reshape(-1, *total.shape)
    kept = np.full(len(known), keep_empty) | known.any(axis=tuple(range(1, known.ndim)))
    if n_attributes == 1:
        kept[: attributes[0].other] = True
    codes = itertools.product(*(range(axis.other + 1) for axis in attributes))
    return GroupTable(
        groups=tuple(
            " & ".join(map(_level, attributes, each)) for each in itertools.compress(codes, kept)
        ),
        counts=known[kept],
        unknown=total - known.sum(axis=0),
        axes=table.axes[n_attributes:],
    )


def rows_and_positives(
    table: GroupTable, positive: npt.NDArray[np.bool_], counted: npt.NDArray[np.bool_]
) -> tuple[Counts, Counts]:
    """Return each group's `counted` rows and those that are `positive`, of shape (n_groups,).

    Parameters
    ----------
    table, positive, counted
        As in `rates_by_group`.
    """
    rows: Counts = table.counts[:, counted].sum(axis=-1)
    positives: Counts = table.counts[:, positive & counted].sum(axis=-1)
    return rows, positives


def rates_by_group(
    table: GroupTable,
    positive: npt.NDArray[np.bool_],
    counted: npt.NDArray[np.bool_],
    min_group_rows: int,
) -> GroupRates:
    """Return each group's rate of `positive` cells among `counted` cells.

    Parameters
    ----------
    table
        The counts by group.
    positive, counted
        Which cells of the other axes make the numerator and the denominator; boolean, of
        those axes' shape. Positive cells that are not counted do not count.
    min_group_rows
        Groups with fewer counted rows are suppressed.
    """
    rows, positives = rows_and_positives(table, positive, counted)
    groups = list(map(GroupCount, table.groups, rows.tolist(), positives.tolist()))
    return GroupRates(
        compared=tuple(count for count in groups if count.rows >= max(min_group_rows, 1)),
        suppressed=tuple(count for count in groups if count.rows < max(min_group_rows, 1)),
        n_unknown=int(table.unknown[counted].sum()),
    )


def in_both(rates: GroupRates, reference: GroupRates) -> tuple[GroupRates, GroupRates]:
    """Return the same rates with only those groups compared that are compared in both.

    The gap of a window can be held against the baseline's only over the same groups.
    """
    common = set(rates.names) & set(reference.names)
    return _only(rates, common), _only(reference, common)


def _only(rates: GroupRates, names: set[str]) -> GroupRates:
    dropped = tuple(count for count in rates.compared if count.group not in names)
    return GroupRates(
        compared=tuple(count for count in rates.compared if count.group in names),
        suppressed=(*rates.suppressed, *dropped),
        n_unknown=rates.n_unknown,
    )


def _level(axis: CategoryAxis, code: int) -> str:
    if code < axis.other:
        return plain(axis.levels[code])
    return "other" if "other" not in axis.levels else f"other {axis.column}"
