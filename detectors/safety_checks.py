"""The counts of safety checks, by status, verdict and action."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.checks import CHECK_PREFIX, CheckAction, CheckFlag, CheckStatus, outcome_mask
from baselines.layout import CategoryAxis, Layout
from baselines.reference import Reference
from baselines.summary import Window
from detectors.comparison import read_table
from detectors.options import check_prefix
from detectors.rates import Count

__all__ = [
    "ANSWERED",
    "ATTEMPTED",
    "FAILED",
    "FLAGGED",
    "NOT_ACTED",
    "WORKING",
    "CheckCounts",
    "action_counts",
    "check_columns",
    "check_counts",
    "outcome_rates",
    "pooled",
]

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WORKING: Mask = outcome_mask(statuses=frozenset({CheckStatus.OK}))
"""The filter worked, whatever it said."""

ANSWERED: Mask = outcome_mask(
    statuses=frozenset({CheckStatus.OK}), flags=frozenset({CheckFlag.FLAGGED, CheckFlag.CLEAN})
)
"""The filter gave a verdict."""

FLAGGED: Mask = outcome_mask(
    statuses=frozenset({CheckStatus.OK}), flags=frozenset({CheckFlag.FLAGGED})
)
"""The verdict was that the output is unsafe."""

NOT_ACTED: Mask = outcome_mask(
    statuses=frozenset({CheckStatus.OK}),
    flags=frozenset({CheckFlag.FLAGGED}),
    actions=frozenset({CheckAction.NONE, CheckAction.ALLOW}),
)
"""The output was flagged and let through unchanged and unmarked."""

FAILED: Mask = outcome_mask(statuses=frozenset({CheckStatus.ERROR, CheckStatus.TIMEOUT}))
"""The check was attempted and gave nothing."""

ATTEMPTED: Mask = WORKING | FAILED
"""The check was attempted: not skipped, not absent."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CheckCounts:
    """The counts of one check column in reference and window, by outcome.

    Parameters
    ----------
    column
        ``check:<stage>/<filter>/<category>``.
    reference, window
        Int64 of shape (len(CHECK_OUTCOMES) + 2,).
    """

    column: str
    reference: Counts
    window: Counts


def check_columns(layout: Layout, check: str) -> tuple[str, ...]:
    """Return the check columns of a filter that the layout holds, in order of name.

    Parameters
    ----------
    layout
        The baseline's grids.
    check
        ``stage/filter`` for all categories, or one category's ``stage/filter/category``.
    """
    prefix, whole = check_prefix(check), CHECK_PREFIX + check
    return tuple(
        sorted(
            table.name
            for table in layout.tables
            if len(table.axes) == 1
            and isinstance(table.axes[0], CategoryAxis)
            and table.axes[0].is_safety_check
            and (table.name == whole or table.name.startswith(prefix))
        )
    )


def check_counts(reference: Reference, window: Window, check: str) -> tuple[CheckCounts, ...]:
    """Return the counts of every category of a filter; empty if the baseline saw none."""
    found = []
    for column in check_columns(reference.summary.layout, check):
        table = read_table(reference, window, column)
        if table is not None:
            found.append(
                CheckCounts(column=column, reference=table.reference, window=table.window)
            )
    return tuple(found)


def pooled(checks: tuple[CheckCounts, ...]) -> tuple[Counts, Counts]:
    """Return the counts of outcomes summed over categories: reference, window.

    An output that several categories were checked for counts once for each.
    """
    empty = np.zeros(WORKING.shape, dtype=np.int64)
    return (
        sum((check.reference for check in checks), start=empty),
        sum((check.window for check in checks), start=empty),
    )


def outcome_rates(
    outcomes: tuple[Counts, Counts], hits: Mask, trials: Mask
) -> tuple[Count, Count]:
    """Return hits and trials, of the window and of the reference.

    Parameters
    ----------
    outcomes
        Counts by outcome of the reference and of the window, as `pooled` returns them.
    hits, trials
        The outcomes that count.
    """
    before, now = ((int(cells[hits].sum()), int(cells[trials].sum())) for cells in outcomes)
    return now, before


def action_counts(outcomes: Counts) -> Counts:
    """Return how many checks with a verdict led to each action, in the order of the enum."""
    return np.array(
        [
            outcomes[ANSWERED & outcome_mask(actions=frozenset({action}))].sum()
            for action in CheckAction
        ],
        dtype=np.int64,
    )
