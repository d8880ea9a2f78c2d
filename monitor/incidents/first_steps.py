"""What to do first, by kind of incident: words, kept as data."""

from collections.abc import Mapping
from typing import Final

from detectors.base import FailureMode
from monitor.incidents.observations import SignalKind
from monitor.incidents.runbooks.library import runbooks
from monitor.incidents.suggestion import Tier

__all__ = ["NEXT_QUESTION", "first_steps"]

NEXT_QUESTION: Final[Mapping[Tier, str]] = {
    Tier.SEV1: "freeze the evidence, contain and ask counsel now?",
    Tier.SEV2: "which people are concerned, and which decisions can be run again?",
    Tier.SEV3: "which release, prompt or provider changed?",
    Tier.SEV4: "is the sample large enough to know?",
}

_STEPS_BLIND: Final = (
    "check that events still arrive, and that the columns are still filled",
    "until it is seen again, do not take the silence for good news",
)

_STEPS_LOST: Final = (
    "audit the stretch that was lost from another copy of the outputs, if there is one",
    "find out why it was lost before it was read, so that it does not go on: retention, lag",
    "say that nothing is known of it wherever the outputs of this time are reported",
)

_STEPS_NOT_READY: Final = (
    "say 'outputwatch rollback rehearse' and read what stands in the way",
    "mend the plan, its secrets or the plane while nothing has to be rolled back",
    "until it is ready, know by which other way you would go back",
)

_STEPS_BY_KIND: Final[Mapping[SignalKind, tuple[str, ...]]] = {
    SignalKind.CANNOT_SEE: _STEPS_BLIND,
    SignalKind.LOST: _STEPS_LOST,
    SignalKind.NOT_READY: _STEPS_NOT_READY,
}


def first_steps(mode: FailureMode, kind: SignalKind, tier: Tier) -> tuple[str, ...]:
    """Return what to do first, the question of the tier at the end.

    For departures it is the beginning of the runbook of their kind; see
    `monitor.incidents.runbooks`.
    """
    steps = _STEPS_BY_KIND.get(kind) or runbooks()[mode].first_steps
    return (*steps, f"then ask: {NEXT_QUESTION[tier]}")
