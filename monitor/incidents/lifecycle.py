"""What people do to an incident: an act, the rules, and what comes of it. No clock, no store."""

from dataclasses import replace

from monitor.incidents.acts.base import Act, Occasion
from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.states import IncidentState

__all__ = ["perform"]

# What was said of it can still be corrected, and words be added.
_ALWAYS = frozenset({Decision.RECORD, Decision.ERASE})


def perform(incident: Incident, act: Act, occasion: Occasion) -> Changes:
    """Return the incident after an act, and what its timeline tells of it.

    Parameters
    ----------
    incident
        As it is stored.
    act
        What the person does.
    occasion
        Who, why and when.

    Raises
    ------
    RefusedActError
        With the rule that does not allow it, and what to do; nothing has changed then.
    """
    decision = act.decision()
    if incident.state is IncidentState.MERGED and decision not in _ALWAYS:
        message = (
            f"incident {incident.short_id!r} was merged into {(incident.merged_into or '')[:12]!r}"
            "; act on that one"
        )
        raise RefusedActError(message)
    check_right(
        decision,
        occasion.by,
        occasion.second,
        people=occasion.people,
        holders=incident.roles,
        tier=act.grave_tier(incident),
        lowers=act.lowers(incident),
    )
    if act.needs_reason and not occasion.reason.strip():
        message = "this needs a reason, got none; say why with --reason"
        raise RefusedActError(message)
    _check_times(occasion)
    step = act.applied(incident, occasion)
    entry = occasion.entry(step.kind, step.body)
    changed = step.incident
    if changed != incident:
        return Changes(
            incidents=(replace(changed, version=incident.version + 1),),
            entries={incident.id: (entry,)},
        )
    return Changes(entries={incident.id: (entry,)})


def _check_times(occasion: Occasion) -> None:
    known_us = occasion.now_us if occasion.known_us is None else occasion.known_us
    occurred_us = known_us if occasion.occurred_us is None else occasion.occurred_us
    if not occurred_us <= known_us <= occasion.now_us:
        message = (
            "something happens first, is known then and is written down last; check --occurred "
            "and --known"
        )
        raise RefusedActError(message)
