"""How the verdict of one safety check is written as a category.

Each expected check (stage, filter, category) is a column of its own, called
``check:<stage>/<filter>/<category>``; its levels are every combination of status, flagged
and action. An event without that check has the value *missing*: an absent verdict is never
the same as a clean one.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

__all__ = [
    "CHECK_OUTCOMES",
    "CHECK_PREFIX",
    "CheckAction",
    "CheckFlag",
    "CheckStatus",
    "check_column",
    "check_outcome",
    "outcome_mask",
]

CHECK_PREFIX = "check:"


class CheckStatus(StrEnum):
    """Whether the filter gave a verdict."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"


class CheckFlag(StrEnum):
    """The verdict; `UNKNOWN` unless the status is ok."""

    FLAGGED = "flagged"
    CLEAN = "clean"
    UNKNOWN = "unknown"


class CheckAction(StrEnum):
    """What was done with the output because of this check."""

    NONE = "none"
    ALLOW = "allow"
    ANNOTATE = "annotate"
    REDACT = "redact"
    BLOCK = "block"
    ESCALATE = "escalate"


def check_outcome(status: CheckStatus, flag: CheckFlag, action: CheckAction) -> str:
    """Return the level that stands for one verdict, for example ``ok/flagged/block``."""
    return f"{status.value}/{flag.value}/{action.value}"


CHECK_OUTCOMES: tuple[str, ...] = tuple(
    check_outcome(status, flag, action)
    for status in CheckStatus
    for flag in CheckFlag
    for action in CheckAction
)


def check_column(stage: str, filter_name: str, category: str) -> str:
    """Return the name of the column that holds one check's verdicts."""
    return f"{CHECK_PREFIX}{stage}/{filter_name}/{category}"


def outcome_mask(
    *,
    statuses: frozenset[CheckStatus] | None = None,
    flags: frozenset[CheckFlag] | None = None,
    actions: frozenset[CheckAction] | None = None,
) -> npt.NDArray[np.bool_]:
    """Return which of a check axis's codes match, of shape (len(CHECK_OUTCOMES) + 2,).

    None means any. *Other* and *missing*, the last two codes, never match.
    """
    matches = [
        (statuses is None or status in statuses)
        and (flags is None or flag in flags)
        and (actions is None or action in actions)
        for status in CheckStatus
        for flag in CheckFlag
        for action in CheckAction
    ]
    return np.array([*matches, False, False], dtype=np.bool_)
