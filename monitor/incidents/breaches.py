"""What one window brings to the incidents, and which of it belongs together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import annotated_types as at

from baselines.summary import WindowKey
from monitor.incidents.model import Incident
from monitor.incidents.observations import Observation, SignalIdentity
from monitor.incidents.suggestion import Suggestion

__all__ = [
    "Breach",
    "GroupingRules",
    "Recovery",
    "belongs_to",
    "clusters",
    "is_over",
    "same_family",
]

_US_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One firing series in one window; also one that cannot be seen.

    Parameters
    ----------
    identity
        What it is, apart from time and size.
    detector
        The name of the detector.
    observation
        What the window showed.
    suggestion
        What the severity policy says of it.
    onset_us
        Start of the first window of the run, microseconds.
    inhibited_by
        The series whose broken input explains it.
    release
        The release that is new in this window, if the events name one.
    """

    identity: SignalIdentity
    detector: str
    observation: Observation
    suggestion: Suggestion
    onset_us: int
    inhibited_by: tuple[str, ...] = ()
    release: str | None = None

    @property
    def window(self) -> WindowKey:
        """Return the window."""
        return self.observation.window

    @property
    def order(self) -> tuple[bool, str, str, str]:
        """Return a key that sorts the breaches of a window, all traffic first."""
        identity = self.identity
        return (identity.slice != "all", identity.slice, identity.series, identity.fingerprint)


@dataclass(frozen=True, slots=True)
class Recovery:
    """A signal that came back within tolerance, or into sight, in a window."""

    fingerprint: str
    window: WindowKey


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingRules:
    """When breaches belong to one incident.

    Parameters
    ----------
    group_windows
        A new signal joins an incident whose onset is at most so many windows from its own.
    reopen_seconds
        A signal that comes back so soon after its incident was resolved re-opens it; one that
        began so long after every signal of an incident was back is another incident, whether
        a person has resolved the first one by then or not.
    """

    group_windows: Annotated[int, at.Ge(0)] = 2
    reopen_seconds: Annotated[int, at.Ge(0)] = 86_400

    @property
    def reopen_us(self) -> int:
        """Return the time for re-opening in microseconds."""
        return self.reopen_seconds * _US_PER_SECOND


def same_family(first: str, second: str) -> bool:
    """Return whether one cause may show in both slices.

    All traffic goes with every slice; two slices go together if they are cut by a common
    column, so that twelve regions that move at once are one incident.

    Examples
    --------
    >>> same_family("all", "region=EU"), same_family("region=EU", "region=US")
    (True, True)
    >>> same_family("region=EU", "language=en")
    False
    """
    if "all" in (first, second):
        return True
    return not _columns(first).isdisjoint(_columns(second))


def clusters(breaches: Sequence[Breach], rules: GroupingRules) -> list[list[Breach]]:
    """Return the breaches of one window in groups of one cause each, all in a fixed order.

    Of one cause are those that began at about the same time in slices that go together.
    """
    groups: list[list[Breach]] = []
    for breach in sorted(breaches, key=lambda each: each.order):
        joined = [breach]
        apart: list[list[Breach]] = []
        for group in groups:
            if any(_together(breach, other, rules) for other in group):
                joined.extend(group)
            else:
                apart.append(group)
        groups = [*apart, sorted(joined, key=lambda each: each.order)]
    return sorted(groups, key=lambda group: group[0].order)


def belongs_to(breach: Breach, incident: Incident, rules: GroupingRules) -> bool:
    """Return whether a new signal joins an incident that is being worked on."""
    if is_over(breach, incident, rules):
        return False
    identity = breach.identity
    if (identity.system, identity.environment, identity.kind) != (
        incident.system,
        incident.environment,
        incident.kind,
    ):
        return False
    if breach.release is not None and breach.release in incident.releases:
        return True
    return _near(breach, incident.onset_us, rules) and any(
        same_family(identity.slice, signal.identity.slice) for signal in incident.own_signals
    )


def is_over(breach: Breach, incident: Incident, rules: GroupingRules) -> bool:
    """Return whether a breach began too long after all signals of an incident were back."""
    back = incident.resolution_proposed
    return back is not None and breach.onset_us - back.end_us > rules.reopen_us


def _near(breach: Breach, onset_us: int, rules: GroupingRules) -> bool:
    length = breach.window.end_us - breach.window.start_us
    return abs(breach.onset_us - onset_us) <= rules.group_windows * length


def _together(first: Breach, second: Breach, rules: GroupingRules) -> bool:
    a, b = first.identity, second.identity
    if (a.system, a.environment, a.kind) != (b.system, b.environment, b.kind):
        return False
    same_release = first.release is not None and first.release == second.release
    return same_release or (_near(first, second.onset_us, rules) and same_family(a.slice, b.slice))


def _columns(slice_: str) -> frozenset[str]:
    return frozenset(part.partition("=")[0] for part in slice_.split(","))
