"""Which incidents of two policies are about the same change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalKind
from monitor.incidents.suggestion import Tier

__all__ = ["IncidentPair", "Watch", "paired", "worst_tier"]

Watch = tuple[str, str, SignalKind]
"""What a signal is about: detector and columns, slice, kind."""


_Side = tuple[Incident, frozenset[Watch], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPair:
    """The incidents of one change, under the old policy and under the new one.

    Parameters
    ----------
    old, new
        In order of beginning; one of them may be empty. Several of one policy are together
        when one incident of the other covers them.
    """

    old: tuple[Incident, ...]
    new: tuple[Incident, ...]

    @property
    def is_common(self) -> bool:
        """Return whether both policies saw the change."""
        return bool(self.old and self.new)

    @property
    def title(self) -> str:
        """Return what it is about, as the new policy says if it says anything."""
        return (self.new or self.old)[0].title


def worst_tier(incidents: Iterable[Incident]) -> Tier | None:
    """Return the most severe suggested tier, None without incidents."""
    tiers = [incident.tier for incident in incidents]
    return min(tiers, key=lambda tier: tier.rank) if tiers else None


def paired(
    old: Sequence[Incident],
    new: Sequence[Incident],
    old_names: Mapping[str, str],
    new_names: Mapping[str, str],
) -> tuple[IncidentPair, ...]:
    """Return all incidents, those of one change together, in order of beginning.

    Incidents are of one change if they share a signal and overlap in time, directly or through
    others.

    Parameters
    ----------
    old, new
        The incidents of either policy.
    old_names, new_names
        The series of each policy without the names of their entries: an entry that is given a
        name is still about the same.
    """
    sides = [(each, _watches(each, old_names), True) for each in old]
    sides += [(each, _watches(each, new_names), False) for each in new]
    groups: list[list[_Side]] = []
    for side in sides:
        touching = [group for group in groups if any(_same(side, other) for other in group)]
        joined = [side, *(each for group in touching for each in group)]
        groups = [group for group in groups if group not in touching] + [joined]
    pairs = [
        IncidentPair(
            old=_ordered(each for each, _, is_old in group if is_old),
            new=_ordered(each for each, _, is_old in group if not is_old),
        )
        for group in groups
    ]
    return tuple(sorted(pairs, key=lambda pair: min(_order(each) for each in pair.old + pair.new)))


def _watches(incident: Incident, names: Mapping[str, str]) -> frozenset[Watch]:
    identities = (signal.identity for signal in incident.own_signals)
    return frozenset(
        (names.get(identity.series, identity.series), identity.slice, identity.kind)
        for identity in identities
    )


def _same(one: _Side, other: _Side) -> bool:
    (first, watched, _), (second, also_watched, _) = one, other
    if not watched & also_watched:
        return False
    return first.onset_us <= _end(second) and second.onset_us <= _end(first)


def _end(incident: Incident) -> int:
    ended = incident.last_window.end_us
    return ended if incident.resolved_us is None else max(ended, incident.resolved_us)


def _ordered(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    return tuple(sorted(incidents, key=_order))


def _order(incident: Incident) -> tuple[object, str]:
    return incident.first_window, incident.id
