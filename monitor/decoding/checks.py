"""The verdicts of safety checks to one categorical column for each check.

A check is one object (or a list of them) with ``stage``, ``filter``, ``category``,
``status``, ``flagged`` and ``action``, or a flat column of true, false and null.

- No status: ok if there is a verdict, error if there is none. An unknown status is an error:
  it is not evidence that the filter works.
- ``flagged`` counts only when the status is ok; otherwise the flag is unknown.
- No action: none. An unknown action is counted as none, and remarked.
- No filter or category: ``any``; no stage: ``output``.
- Several verdicts of one check on one output: the worst counts, flagged before clean before
  unknown. A verdict outranks an error (it comes of a second attempt), an error a timeout, a
  timeout a skipped check. Among equals the stronger action counts.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import orjson

from baselines.checks import (
    CHECK_OUTCOMES,
    CheckAction,
    CheckFlag,
    CheckStatus,
    check_column,
    check_outcome,
)
from baselines.columns import Categories
from monitor.decoding.base import Remark
from monitor.decoding.values import InvalidValueError, as_boolean, as_text

__all__ = [
    "MAX_CHECKS",
    "Verdicts",
    "check_columns",
    "check_key",
    "flat_outcome",
    "outcome_code",
]

MAX_CHECKS = 256
"""How many different checks one block may name; the names come from outside."""

_POSITION = {outcome: code for code, outcome in enumerate(CHECK_OUTCOMES)}
_ACTIONS: dict[str, CheckAction] = {action.value: action for action in CheckAction} | {
    "allowed": CheckAction.ALLOW,
    "annotated": CheckAction.ANNOTATE,
    "redacted": CheckAction.REDACT,
    "blocked": CheckAction.BLOCK,
    "escalated": CheckAction.ESCALATE,
}
_STATUSES: dict[str, CheckStatus] = {status.value: status for status in CheckStatus}

_STATUS_ORDER = (CheckStatus.SKIPPED, CheckStatus.TIMEOUT, CheckStatus.ERROR, CheckStatus.OK)
_FLAG_ORDER = (CheckFlag.UNKNOWN, CheckFlag.CLEAN, CheckFlag.FLAGGED)
_BY_RANK = np.array(
    [-1]
    + [
        _POSITION[check_outcome(status, flag, action)]
        for status in _STATUS_ORDER
        for flag in _FLAG_ORDER
        for action in CheckAction
    ],
    dtype=np.int32,
)
_RANK = np.argsort(_BY_RANK)[1:].astype(np.int32)


@dataclass(slots=True)
class Verdicts:
    """Verdicts as they stand in the records, one entry each.

    Parameters
    ----------
    rows
        The record of each verdict.
    keys
        The name of each verdict's check column.
    outcomes
        Positions in `CHECK_OUTCOMES`.
    remarks
        What was odd about them.
    """

    rows: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    outcomes: list[int] = field(default_factory=list)
    remarks: Counter[Remark] = field(default_factory=Counter)

    def add(self, row: int, value: object) -> None:
        """Add what one record holds: an object, a list of them, or JSON text of either.

        Raises
        ------
        InvalidValueError
            If it is none of these.
        """
        if isinstance(value, str):
            value = _parse(value)
        if isinstance(value, dict):
            value = [value]
        if not isinstance(value, list):
            message = f"must be a check or a list of checks, got a {type(value).__name__}"
            raise InvalidValueError(message)
        for entry in value:
            self._add_one(row, entry)

    def _add_one(self, row: int, entry: object) -> None:
        if not isinstance(entry, dict):
            self.remarks[Remark.MALFORMED_CHECK] += 1
            return
        try:
            key = check_key(entry.get("stage"), entry.get("filter"), entry.get("category"))
            outcome, remarks = outcome_code(
                entry.get("status"), entry.get("flagged"), entry.get("action")
            )
        except InvalidValueError:
            self.remarks[Remark.MALFORMED_CHECK] += 1
            return
        self.rows.append(row)
        self.keys.append(key)
        self.outcomes.append(outcome)
        self.remarks.update(remarks)


def _parse(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        message = "must be JSON of a check or a list of checks, got other text"
        raise InvalidValueError(message) from None


def check_key(stage: object, filter_name: object, category: object) -> str:
    """Return the name of the column of a check, with what is missing filled in."""
    return check_column(
        as_text(stage) or "output", as_text(filter_name) or "any", as_text(category) or "any"
    )


def outcome_code(status: object, flagged: object, action: object) -> tuple[int, list[Remark]]:
    """Return the position in `CHECK_OUTCOMES` of one verdict, and what is odd about it."""
    remarks = []
    try:
        flag = as_boolean(flagged)
    except InvalidValueError:
        flag = None
        remarks.append(Remark.UNKNOWN_CHECK_FLAG)
    text = (as_text(status) or "").strip().lower()
    default = CheckStatus.ERROR if flag is None else CheckStatus.OK
    verdict = _STATUSES.get(text, CheckStatus.ERROR) if text else default
    if text and text not in _STATUSES:
        remarks.append(Remark.UNKNOWN_CHECK_STATUS)
    name = (as_text(action) or "none").strip().lower()
    if name not in _ACTIONS:
        remarks.append(Remark.UNKNOWN_CHECK_ACTION)
    taken = _ACTIONS.get(name, CheckAction.NONE)
    return _POSITION[check_outcome(verdict, _flag(verdict, flag), taken)], remarks


def _flag(status: CheckStatus, flagged: bool | None) -> CheckFlag:
    if status is not CheckStatus.OK or flagged is None:
        return CheckFlag.UNKNOWN
    return CheckFlag.FLAGGED if flagged else CheckFlag.CLEAN


def flat_outcome(value: object) -> str | None:
    """Return the level of a flat verdict: true is flagged, false clean, null no verdict.

    Raises
    ------
    InvalidValueError
        If it is not a boolean.
    """
    flag = as_boolean(value)
    if flag is None:
        return None
    return check_outcome(CheckStatus.OK, _flag(CheckStatus.OK, flag), CheckAction.NONE)


def check_columns(
    rows: npt.NDArray[np.intp],
    keys: npt.NDArray[np.intp],
    names: list[str],
    outcomes: npt.NDArray[np.intp],
    n_rows: int,
) -> tuple[Mapping[str, Categories], int]:
    """Return one categorical column for each check, and how many verdicts found no place.

    Parameters
    ----------
    rows, keys, outcomes
        Of shape (n_verdicts,): the record, the position in `names`, the position in
        `CHECK_OUTCOMES`.
    names
        Names of check columns. Beyond the first `MAX_CHECKS` in order of name, checks are
        left out.
    n_rows
        How many records there are.
    """
    columns: dict[str, Categories] = {}
    n_dropped = 0
    order = np.argsort(keys, kind="stable")
    starts = np.searchsorted(keys[order], np.arange(len(names) + 1))
    for place, key in enumerate(sorted(range(len(names)), key=names.__getitem__)):
        members = order[starts[key] : starts[key + 1]]
        if place >= MAX_CHECKS:
            n_dropped += len(members)
            continue
        ranks = np.zeros(n_rows, np.int32)
        np.maximum.at(ranks, rows[members], _RANK[outcomes[members]])
        columns[names[key]] = Categories(_BY_RANK[ranks], CHECK_OUTCOMES)
    return columns, n_dropped
