"""What a file of policy tests holds."""

from dataclasses import dataclass, field
from typing import Annotated

import annotated_types as at

from monitor.config.model import Configuration, DetectorEntry
from monitor.config.problems import Place
from monitor.decision.state import State
from monitor.incidents.suggestion import Tier
from monitor.policy_tests.shorthand import Outputs

__all__ = ["Expected", "MadeSeries", "PolicyTest", "PolicyTests"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a series must have come to after one window.

    Parameters
    ----------
    window
        Which of the windows fed, from 1.
    state
        The state of the series.
    incident
        Whether an incident is open to which the series belongs, not as one that broken input
        explains.
    tier
        The tier that is suggested for that incident.
    at_least, at_most
        The mildest and the most severe tier that may be suggested.
    """

    window: Annotated[int, at.Ge(1)]
    state: State | None = None
    incident: bool | None = None
    tier: Tier | None = None
    at_least: Tier | None = None
    at_most: Tier | None = None

    def __post_init__(self) -> None:
        asked = (self.state, self.incident, self.tier, self.at_least, self.at_most)
        if all(each is None for each in asked):
            message = "must expect something: state, incident, tier, at_least or at_most"
            raise ValueError(message)

    @property
    def tells_a_tier(self) -> bool:
        """Return whether an incident must be there to be right."""
        return not (self.tier is None and self.at_least is None and self.at_most is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSeries:
    """One series of a test.

    Parameters
    ----------
    entry
        The entry of the configuration.
    slice
        Of traffic.
    baseline, windows
        Outputs of each window; an empty window has none. None: both are what other series of
        the test write into the tables that this one reads.
    expected
        In the order of the file.
    place
        Where the series stands in the file.
    """

    entry: DetectorEntry
    slice: str
    baseline: tuple[tuple[Outputs, ...], ...] | None
    windows: tuple[tuple[Outputs, ...], ...] | None
    expected: tuple[tuple[Expected, Place], ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTest:
    """A few series that are watched at once.

    Parameters
    ----------
    name
        Tells the test apart.
    series
        At least one.
    place
        Where the test stands in the file.
    """

    name: str
    series: tuple[MadeSeries, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTests:
    """All tests of one file.

    Parameters
    ----------
    file
        As the user gave it.
    configuration
        The policy under test.
    window_seconds
        The usual length of a window.
    slices
        How many slices share the budget of false alarms, all traffic included.
    tests
        In the order of the file.
    """

    file: str
    configuration: Configuration
    window_seconds: int
    slices: int
    tests: tuple[PolicyTest, ...] = field(default=())
