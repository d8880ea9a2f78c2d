"""What can go wrong with a rollback: one class for each thing that a caller does about it."""

from enum import StrEnum

from monitor.errors import OutputwatchError

__all__ = [
    "MovedError",
    "NotAppliedError",
    "OutcomeUnknownError",
    "Refusal",
    "RefusedError",
    "RollbackError",
    "UnreadableError",
]


class RollbackError(OutputwatchError):
    """A rollback cannot go on."""


class UnreadableError(RollbackError):
    """What is in force could not be read; nothing was changed."""


class MovedError(RollbackError):
    """Somebody else switched the target since it was read; nothing was changed."""


class NotAppliedError(RollbackError):
    """The switch was certainly not made."""


class OutcomeUnknownError(RollbackError):
    """The switch was sent, and what came of it is not known: it must be observed."""


class Refusal(StrEnum):
    """Why a step was not taken."""

    APPROVAL_MISSING = "approval_missing"
    APPROVAL_STALE = "approval_stale"
    APPROVER_NOT_ALLOWED = "approver_not_allowed"
    DECISION_RIGHT = "decision_right"
    EVIDENCE_NOT_FROZEN = "evidence_not_frozen"
    EXPIRED = "expired"
    LOCKED = "locked"
    NO_TARGET = "no_target"
    NOT_ARMED = "not_armed"
    PLAN_CHANGED = "plan_changed"
    REASON_MISSING = "reason_missing"
    STOPPED = "stopped"
    TARGET_MOVED = "target_moved"
    TOO_OFTEN = "too_often"
    WRONG_STAGE = "wrong_stage"


class RefusedError(RollbackError):
    """A safeguard held; nothing was changed.

    Parameters
    ----------
    refusal
        Which safeguard.
    message
        What must hold, what was found, what to do.
    """

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal
