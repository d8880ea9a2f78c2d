"""What executions need from outside: memory, time, and what keeps evidence."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from monitor.clock import Clock
from monitor.incidents.records import Record
from monitor.rollbacks.ledger import RollbackLedger
from monitor.rollbacks.plans import RollbackPlan

__all__ = ["Freezer", "Means"]

Freezer = Callable[[RollbackPlan, str | None, Record], Record | None]
"""Keeps evidence of an incident (its id, or None) before anything is changed.

It is given what is in force and what is served, and returns where it kept that and its hash, or
None if it has no place for it. What it raises keeps the rollback from going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What executions need from outside.

    Parameters
    ----------
    ledger
        Where they are kept.
    clock
        Tells the time.
    owner
        Names this process, unlike any other that may resume the same executions.
    wait
        Lets so many seconds pass.
    freezers
        Keep evidence besides what was in force and what was served.
    """

    ledger: RollbackLedger
    clock: Clock
    owner: str
    wait: Callable[[float], None] = time.sleep
    freezers: tuple[Freezer, ...] = ()
