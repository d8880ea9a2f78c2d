"""Stored incidents looked back at, and what another severity policy would make of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.incidents.cases import Case, DecidedTier, case_of
from monitor.incidents.looking_back import LookingBack, Month, look_back
from monitor.incidents.model import Incident
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Suggestion, Tier, worse
from monitor.incidents.wording import leading_signal
from monitor.severity.assessment import suggested_again
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store

__all__ = ["Move", "PolicyChange", "changed_by", "looked_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An incident of which another policy suggests otherwise.

    Parameters
    ----------
    case
        The incident.
    before_policy
        Name and version of the policy that suggested.
    before, before_could_be, after, after_could_be
        The tiers, with the facts that people stated.
    reasons
        Why the other policy suggests what it does.
    """

    case: Case
    before_policy: str
    before: Tier
    before_could_be: Tier
    after: Tier
    after_could_be: Tier
    reasons: tuple[str, ...]

    @property
    def is_graver(self) -> bool:
        """Return whether the other policy suggests a graver tier, or says it could be one."""
        return (self.after.rank, self.after_could_be.rank) < (
            self.before.rank,
            self.before_could_be.rank,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """What a policy would alter in past incidents; nothing is altered by asking.

    Parameters
    ----------
    policy
        Its name and version.
    moves
        The incidents of which it suggests otherwise, in order of becoming known.
    n_asked
        Incidents whose inputs are kept.
    unknown
        Incidents of which it cannot be told: a person reported them, or a release suggested
        that did not keep what the policy was told.
    n_decided, n_agreed_before, n_agreed_after
        Of the incidents asked about those whose tier a person decided, and in how many of
        them the old suggestion and the new one are what was decided.
    """

    policy: str
    moves: tuple[Move, ...]
    n_asked: int
    unknown: tuple[Case, ...]
    n_decided: int
    n_agreed_before: int
    n_agreed_after: int


def looked_back(store: Store, monitor: str | None, month: Month | None = None) -> LookingBack:
    """Return what the stored incidents show that became known in a month.

    Parameters
    ----------
    store
        Where they are.
    monitor
        Whose; None: everybody's.
    month
        The month; None: all of them.
    """
    return look_back((case for _, case in _cases(store, monitor)), month)


def changed_by(
    policy: FiveAxes, store: Store, monitor: str | None, month: Month | None = None
) -> PolicyChange:
    """Return what a policy would have suggested of past incidents, drills left out.

    It is asked on what was kept of the most severe suggestion of each signal. It might have
    found another window of a signal graver, whose inputs are not kept.
    """
    moves: list[Move] = []
    unknown: list[Case] = []
    agreed: list[tuple[bool, bool]] = []
    n_asked = 0
    for incident, case in sorted(_cases(store, monitor), key=lambda each: each[1].known_us):
        if case.drill or case.state is IncidentState.MERGED:
            continue
        if month not in (None, Month.of(case.known_us)):
            continue
        again = _again(policy, incident)
        if again is None:
            unknown.append(case)
            continue
        n_asked += 1
        move = _move(policy, incident, case, again)
        if case.decision is not None:
            agreed.append(_agrees(case.decision, move))
        if (move.before, move.before_could_be) != (move.after, move.after_could_be):
            moves.append(move)
    return PolicyChange(
        policy=policy.label,
        moves=tuple(moves),
        n_asked=n_asked,
        unknown=tuple(unknown),
        n_decided=len(agreed),
        n_agreed_before=sum(before for before, _ in agreed),
        n_agreed_after=sum(after for _, after in agreed),
    )


def _cases(store: Store, monitor: str | None) -> Iterable[tuple[Incident, Case]]:
    incidents = store.incidents(monitor)
    for incident in incidents.all():
        yield incident, case_of(incident, incidents.timeline(incident.id))


def _again(policy: FiveAxes, incident: Incident) -> Suggestion | None:
    """Return the suggestion of the incident's signals anew, with the gravest `could be`."""
    signals = []
    for signal in incident.own_signals:
        again = suggested_again(policy, signal.suggestion, signal.identity.kind)
        if again is None:
            return None
        signals.append(replace(signal, suggestion=again))
    if not signals:
        return None
    lead = leading_signal(tuple(signals)).suggestion
    could_be = lead.could_be
    for signal in signals:
        could_be = worse(could_be, signal.suggestion.could_be)
    return replace(lead, could_be=could_be)


def _move(policy: FiveAxes, incident: Incident, case: Case, again: Suggestion) -> Move:
    after = again.tier
    for held in incident.facts:
        after = worse(after, policy.floors[held.fact])
    return Move(
        case=case,
        before_policy=incident.suggestion.policy,
        before=incident.suggested,
        before_could_be=worse(incident.could_be, incident.suggested),
        after=after,
        after_could_be=worse(again.could_be, after),
        reasons=again.reasons,
    )


def _agrees(decision: DecidedTier, move: Move) -> tuple[bool, bool]:
    return decision.suggested is decision.decided, move.after is decision.decided
