"""What an incident is: signals that belong together, and how it stands."""

from dataclasses import dataclass

from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.incidents.facts import HeldFact
from monitor.incidents.observations import Signal, SignalIdentity, SignalKind, digest
from monitor.incidents.roles import Role, RoleHolder
from monitor.incidents.states import ACTIVE, IncidentLink, IncidentState
from monitor.incidents.suggestion import Suggestion, Tier, worse

__all__ = ["Incident", "incident_id"]


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
    return digest(
        identity.fingerprint,
        identity.system,
        window.start_us,
        window.end_us,
        window.slice,
        window.ordinal,
    )
