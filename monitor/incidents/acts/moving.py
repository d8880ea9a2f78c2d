"""From one state to the next: which moves there are, and what each of them takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from monitor.incidents.acts.base import Occasion, Plain, Step
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalKind
from monitor.incidents.records import Record, to_record
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind

__all__ = ["BACK", "FORWARD", "Move"]

_S = IncidentState

FORWARD: Final[Mapping[IncidentState, tuple[IncidentState, ...]]] = {
    _S.CANDIDATE: (_S.OPEN, _S.ACKNOWLEDGED, _S.DISMISSED),
    _S.OPEN: (_S.ACKNOWLEDGED, _S.CONTAINED, _S.DISMISSED),
    _S.ACKNOWLEDGED: (_S.CONTAINED, _S.MONITORING, _S.RESOLVED, _S.DISMISSED),
    _S.CONTAINED: (_S.MONITORING, _S.RESOLVED),
    _S.MONITORING: (_S.RESOLVED,),
    _S.RESOLVED: (_S.IN_REVIEW, _S.CLOSED),
    _S.IN_REVIEW: (_S.CLOSED,),
    _S.CLOSED: (),
    _S.DISMISSED: (),
    _S.MERGED: (),
}
"""Where an incident can go next. Merging is an act of its own, see `merging`."""

BACK: Final[Mapping[IncidentState, tuple[IncidentState, ...]]] = {
    _S.CANDIDATE: (),
    _S.OPEN: (),
    _S.ACKNOWLEDGED: (_S.OPEN,),
    _S.CONTAINED: (_S.OPEN, _S.ACKNOWLEDGED),
    _S.MONITORING: (_S.OPEN, _S.ACKNOWLEDGED, _S.CONTAINED),
    _S.RESOLVED: (_S.OPEN, _S.ACKNOWLEDGED, _S.CONTAINED, _S.MONITORING),
    _S.IN_REVIEW: (_S.OPEN, _S.RESOLVED),
    _S.CLOSED: (_S.OPEN, _S.IN_REVIEW),
    _S.DISMISSED: (_S.CANDIDATE, _S.OPEN),
    _S.MERGED: (),
}
"""Where an incident can go back to; nothing that was written down is lost by it."""

_DECISIONS: Final[Mapping[IncidentState, Decision]] = {
    _S.CANDIDATE: Decision.CONFIRM,
    _S.OPEN: Decision.CONFIRM,
    _S.ACKNOWLEDGED: Decision.ACKNOWLEDGE,
    _S.CONTAINED: Decision.CONTAIN,
    _S.MONITORING: Decision.CONTAIN,
    _S.RESOLVED: Decision.RESOLVE,
    _S.IN_REVIEW: Decision.REVIEW,
    _S.CLOSED: Decision.CLOSE,
    _S.DISMISSED: Decision.DISMISS,
}
_KINDS: Final[Mapping[IncidentState, EntryKind]] = {
    _S.OPEN: EntryKind.CONFIRMED,
    _S.ACKNOWLEDGED: EntryKind.ACKNOWLEDGED,
    _S.CONTAINED: EntryKind.CONTAINED,
    _S.MONITORING: EntryKind.MONITORING,
    _S.RESOLVED: EntryKind.RESOLVED,
    _S.IN_REVIEW: EntryKind.IN_REVIEW,
    _S.CLOSED: EntryKind.CLOSED,
    _S.DISMISSED: EntryKind.DISMISSED,
}
_AFTER_RESOLUTION: Final = frozenset({_S.RESOLVED, _S.IN_REVIEW, _S.CLOSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Plain):
    """Bring an incident to another state.

    Parameters
    ----------
    to
        The state.
    without_evidence
        Whether it is resolved on somebody's word: the monitor has not seen every signal back
        within tolerance.
    """

    needs_reason: ClassVar[bool] = True

    to: IncidentState
    without_evidence: bool = False

    def decision(self) -> Decision:
        """Return what is decided by it."""
        return _DECISIONS.get(self.to, Decision.MERGE)

    def applied(self, incident: Incident, occasion: Occasion) -> Step:
        """Return the incident in its new state."""
        back = self.to in BACK[incident.state]
        if not back and self.to not in FORWARD[incident.state]:
            raise RefusedActError(_no_such_move(incident.state, self.to))
        body: Record = {"from": incident.state.value, "to": self.to.value}
        if self.to is _S.RESOLVED and not back:
            _check_roles(incident, occasion)
            body |= self._evidence(incident)
        if self.to is _S.CLOSED and incident.state is _S.RESOLVED:
            _check_review(incident)
        resolved_us = incident.resolved_us
        if self.to not in _AFTER_RESOLUTION:
            resolved_us = None
        elif not back and self.to is _S.RESOLVED:
            resolved_us = occasion.now_us
        changed = replace(incident, state=self.to, resolved_us=resolved_us)
        return Step(
            incident=changed, kind=EntryKind.MOVED_BACK if back else _KINDS[self.to], body=body
        )

    def _evidence(self, incident: Incident) -> Record:
        """Return the windows that show it, or that it is somebody's word."""
        proposed = incident.resolution_proposed
        if proposed is not None:
            back = [
                {
                    "series": each.identity.series,
                    "slice": each.identity.slice,
                    "last_breach": to_record(each.freshest.window),
                }
                for each in incident.own_signals
            ]
            return {"evidence": {"back_in": to_record(proposed), "signals": back}}
        if self.without_evidence:
            return {"without_evidence": True}
        if incident.kind is SignalKind.LOST:
            message = (
                "what was lost does not come back, so that no evidence of it will come; say "
                "--without-evidence, and why it is dealt with"
            )
            raise RefusedActError(message)
        firing = [each.identity.series for each in incident.own_signals if not each.recovered]
        what = ", ".join(firing) if firing else "no signal of its own"
        message = (
            "an incident is resolved when every signal was seen back within tolerance, got "
            f"{what} without such evidence; wait for it, or say --without-evidence and why"
        )
        raise RefusedActError(message)


def _check_roles(incident: Incident, occasion: Occasion) -> None:
    if incident.tier.rank > Tier.SEV2.rank:
        return
    missing = [
        role.value for role in occasion.people.required_roles if incident.holder(role) is None
    ]
    if missing:
        message = (
            f"a {incident.tier.value} is resolved only when its required roles are filled, "
            f"missing {', '.join(missing)}; name them with 'incident assign'"
        )
        raise RefusedActError(message)


def _check_review(incident: Incident) -> None:
    if incident.tier.rank <= Tier.SEV2.rank:
        message = (
            f"a {incident.tier.value} is closed after its review, got state 'resolved'; "
            "begin with 'incident review'"
        )
        raise RefusedActError(message)


def _no_such_move(state: IncidentState, to: IncidentState) -> str:
    possible = ", ".join(each.value for each in (*FORWARD[state], *BACK[state])) or "nowhere"
    return (
        f"an incident that is {state.value!r} cannot become {to.value!r}; from there it can go "
        f"to: {possible}"
    )
