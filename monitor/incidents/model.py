"""What an incident is: signals that belong together, and how it stands."""

import functools
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from baselines.summary import WindowKey
from detectors.base import Direction, Estimate, FailureMode, Finding, GroupCount
from monitor.incidents.exposure import exposed_rows
from monitor.incidents.facts import HeldFact
from monitor.incidents.roles import Role, RoleHolder
from monitor.incidents.suggestion import Suggestion, Tier, worse

__all__ = [
    "ACTIVE",
    "Incident",
    "IncidentLink",
    "IncidentState",
    "LinkKind",
    "Observation",
    "Signal",
    "SignalIdentity",
    "SignalKind",
    "incident_id",
    "observation_of",
]


class IncidentState(StrEnum):
    """Where an incident stands; the monitor makes candidates, people do the rest."""

    CANDIDATE = "candidate"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CONTAINED = "contained"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    IN_REVIEW = "in_review"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    MERGED = "merged"


ACTIVE = frozenset(
    {
        IncidentState.CANDIDATE,
        IncidentState.OPEN,
        IncidentState.ACKNOWLEDGED,
        IncidentState.CONTAINED,
        IncidentState.MONITORING,
    }
)
"""The states in which further breaches join an incident."""


class LinkKind(StrEnum):
    """How one incident stands to another."""

    DUPLICATE = "duplicate"
    CAUSED_BY = "caused_by"
    RECURRENCE = "recurrence"
    SAME_RELEASE = "same_release"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLink:
    """What a person said of two incidents: this one is so to the other."""

    kind: LinkKind
    incident_id: str


class SignalKind(StrEnum):
    """What a signal is about: a departure, a series that cannot be seen, or lost records.

    That records are lost is a fact: it never comes back within tolerance. A rollback plan that
    failed its rehearsal is not ready. An incident that a person opened has none of these.
    """

    BREACH = "breach"
    CANNOT_SEE = "cannot_see"
    LOST = "lost"
    NOT_READY = "not_ready"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalIdentity:
    """What makes two breaches the same signal: neither time nor size.

    Parameters
    ----------
    system, environment
        What is monitored, and where it runs.
    failure_mode
        Which kind of incident it is.
    series, slice
        What is watched, on which traffic.
    baseline_id
        What it is compared with.
    kind
        A departure, not seeing, lost records, or a plan that is not ready.
    """

    system: str
    environment: str
    failure_mode: FailureMode
    series: str
    slice: str
    baseline_id: str
    kind: SignalKind = SignalKind.BREACH

    @property
    def fingerprint(self) -> str:
        """Return the sha256 of the identity, in hexadecimal."""
        return _fingerprint(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one window showed of a signal: enough to explain it without the finding.

    Parameters
    ----------
    finding_id
        The id of the whole finding.
    window
        The window.
    effect, tolerance, unit, departure, direction
        As in `detectors.base.Finding`.
    n_rows, n_exposed
        Outputs that the detector read, and those that the breach concerns.
    n_exposed_since_onset
        Outputs that the breach concerns in all windows since it began, this one included.
    groups, worse_off
        Counts by group, and the groups on the worse side.
    headline, sentence, notes
        As in `detectors.base.Finding`.
    """

    finding_id: str
    window: WindowKey
    effect: Estimate | None = None
    tolerance: float = 0.0
    unit: str = ""
    departure: Estimate | None = None
    direction: Direction = Direction.NONE
    n_rows: int = 0
    n_exposed: int = 0
    n_exposed_since_onset: int = 0
    groups: tuple[GroupCount, ...] = ()
    worse_off: tuple[str, ...] = ()
    headline: str = ""
    sentence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> float:
        """Return the departure at the bound nearest to no breach, 0 where there is none."""
        return self.departure.low if self.departure else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One series on one slice, for as long as the incident lasts.

    Parameters
    ----------
    identity
        What it is; its fingerprint names it.
    detector
        The name of the detector.
    n_windows
        Windows in which it was seen.
    first, freshest, worst
        What the first, the latest and the worst window showed.
    suggestion
        The most severe suggestion so far.
    inhibited_by
        The series whose broken input explains it; empty for a signal of its own.
    recovered
        Whether it came back within tolerance after `freshest`.
    """

    identity: SignalIdentity
    detector: str
    n_windows: int
    first: Observation
    freshest: Observation
    worst: Observation
    suggestion: Suggestion
    inhibited_by: tuple[str, ...] = ()
    recovered: bool = False

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint of the identity."""
        return self.identity.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What people respond to.

    Parameters
    ----------
    id
        A sha256 over system, first window and first signal: two runs give the same id.
    number
        A short number in its database; None until it is stored.
    system, environment
        What is monitored, and where it runs.
    kind
        A departure, a monitor that cannot see, or records that it lost.
    failure_mode
        That of its most severe signal.
    title
        One line in words.
    state
        Where it stands.
    suggestion
        The most severe suggestion of its signals.
    could_be
        The most severe of their ``could be as high as``.
    confirmed
        The tier that a person decided on; None until then.
    signals
        In order of their first windows; those with `inhibited_by` are only listed.
    first_window, last_window
        The first and the latest breaching window.
    onset_us
        When it began, estimated: the start of the first window beyond tolerance.
    releases
        Releases that changed when a signal began, if the events name them.
    resolution_proposed
        The window in which every signal was back within tolerance; a person resolves.
    resolved_us
        When a person resolved it.
    recurrence_of
        The id of the earlier incident with the same signal.
    stated_mode
        How a person who opened it called what went wrong, in their own words.
    facts
        What people stated that sets a floor under the tier.
    roles
        Who fills which role.
    links
        Other incidents that a person related it to.
    merged_into
        The id of the incident that goes on for both.
    snoozed_until_us
        Until when reminders wait.
    drill
        Whether it is practice: it is worked on like any other, and nothing leaves the building.
    version
        Counts the changes.
    """

    id: str
    number: int | None = None
    system: str
    environment: str
    kind: SignalKind = SignalKind.BREACH
    failure_mode: FailureMode
    title: str
    state: IncidentState = IncidentState.CANDIDATE
    suggestion: Suggestion
    could_be: Tier
    confirmed: Tier | None = None
    signals: tuple[Signal, ...]
    first_window: WindowKey
    last_window: WindowKey
    onset_us: int
    releases: tuple[str, ...] = ()
    resolution_proposed: WindowKey | None = None
    resolved_us: int | None = None
    recurrence_of: str | None = None
    stated_mode: str = ""
    facts: tuple[HeldFact, ...] = ()
    roles: tuple[RoleHolder, ...] = ()
    links: tuple[IncidentLink, ...] = ()
    merged_into: str | None = None
    snoozed_until_us: int | None = None
    drill: bool = False
    version: int = 1

    @property
    def short_id(self) -> str:
        """Return the first characters of the id, enough to type."""
        return self.id[:12]

    @property
    def tier(self) -> Tier:
        """Return the tier that counts: the confirmed one, else the suggested one.

        Facts that people stated lift both.
        """
        return self._lifted(self.confirmed or self.suggestion.tier)

    @property
    def suggested(self) -> Tier:
        """Return the tier that the policy suggests, lifted by the facts that people stated."""
        return self._lifted(self.suggestion.tier)

    @property
    def highest(self) -> Tier:
        """Return the tier that it could be as high as."""
        return worse(self.could_be, self.tier)

    @property
    def has_floor(self) -> bool:
        """Return whether a fact, found or stated, sets a floor: it is then never muted."""
        return bool(self.facts) or any(each.suggestion.floor for each in self.signals)

    def holder(self, role: Role) -> str | None:
        """Return who fills a role, None if nobody does."""
        return next((each.name for each in self.roles if each.role is role), None)

    def _lifted(self, tier: Tier) -> Tier:
        for held in self.facts:
            tier = worse(tier, held.floor)
        return tier

    @property
    def is_active(self) -> bool:
        """Return whether further breaches join it."""
        return self.state in ACTIVE

    @property
    def has_times(self) -> bool:
        """Return whether its events have times; without them onset and end mean nothing."""
        return self.last_window.has_times

    @property
    def own_signals(self) -> tuple[Signal, ...]:
        """Return the signals that are not explained by broken input."""
        return tuple(signal for signal in self.signals if not signal.inhibited_by)

    @property
    def inhibited_signals(self) -> tuple[Signal, ...]:
        """Return the signals that broken input explains."""
        return tuple(signal for signal in self.signals if signal.inhibited_by)


def incident_id(identity: SignalIdentity, window: WindowKey) -> str:
    """Return the id of the incident that begins with a signal in a window."""
    return _sha256(
        identity.fingerprint,
        identity.system,
        window.start_us,
        window.end_us,
        window.slice,
        window.ordinal,
    )


def observation_of(
    finding: Finding, *, finding_id: str, window: WindowKey, n_exposed_since_onset: int = 0
) -> Observation:
    """Return what an incident keeps of a finding."""
    return Observation(
        finding_id=finding_id,
        window=window,
        effect=finding.effect,
        tolerance=finding.tolerance,
        unit=finding.unit,
        departure=finding.departure,
        direction=finding.direction,
        n_rows=finding.n_rows,
        n_exposed=exposed_rows(finding),
        n_exposed_since_onset=n_exposed_since_onset,
        groups=finding.groups,
        worse_off=finding.worse_off,
        headline=finding.headline,
        sentence=finding.sentence,
        notes=finding.notes,
    )


# It is asked for many times in every window of a signal.
@functools.lru_cache(maxsize=65_536)
def _fingerprint(identity: SignalIdentity) -> str:
    return _sha256(
        identity.system,
        identity.environment,
        identity.failure_mode,
        identity.series,
        identity.slice,
        identity.baseline_id,
        identity.kind,
    )


def _sha256(*parts: str | int) -> str:
    # A separator that no name holds keeps ("ab", "c") apart from ("a", "bc").
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
