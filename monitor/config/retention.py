"""How long what is stored is kept: the ``retention`` section."""

from dataclasses import dataclass
from typing import Annotated

import annotated_types as at

__all__ = ["RetentionSettings"]

_Days = Annotated[int, at.Ge(1), at.Le(36_500)] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long windows keep their length, and how long the rest is kept.

    Incidents and their timelines are never touched, nor what an incident refers to. A running
    monitor applies this once a day to what is its own; ``outputwatch database prune`` also
    applies it to the audits of the database.

    Parameters
    ----------
    automatic
        Whether ``outputwatch run`` applies it by itself.
    full_days
        Windows that are older are added up to days, in UTC; null: never. Those of an incident
        that is still open, and all after them, wait for it.
    daily_days
        Days that are older are added up to months; null: never. Months are kept.
    findings_days
        Findings within tolerance, or without a verdict, that are older are dropped; null: never.
        Findings beyond tolerance are kept.
    ledger_days
        What each file added to an audit is dropped so many days after the audit began, if it
        has finished; null: never. The same audit later reads its files again.
    letters_days
        Samples of records of a stream that were not counted; null: kept.
    inbox_days
        Keys of bodies that were sent over HTTP and are counted, by which repetitions are known;
        null: kept for as long as the source says.
    outbox_days
        Notifications that were sent; null: kept.
    """

    automatic: bool = True
    full_days: _Days = 92
    daily_days: _Days = 730
    findings_days: _Days = 92
    ledger_days: _Days = 30
    letters_days: _Days = 30
    inbox_days: _Days = 30
    outbox_days: _Days = 30
