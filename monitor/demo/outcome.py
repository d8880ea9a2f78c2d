"""What was planted against what was found."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.demo.scenario import Planted
from monitor.incidents.model import Incident
from monitor.incidents.observations import Signal

__all__ = ["Outcome", "Recovered", "compare_with_truth", "explains"]

_NAMES = re.compile(r"[\w.:/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """One planted incident and where the audit shows it.

    Parameters
    ----------
    planted
        The truth.
    incidents
        The incidents with a signal that it explains, in order of their first windows.
    first_us
        The start of the first window beyond tolerance, microseconds since the epoch; None if
        nothing was found.
    """

    planted: Planted
    incidents: tuple[Incident, ...]
    first_us: int | None

    @property
    def found(self) -> bool:
        """Return whether any incident shows it."""
        return bool(self.incidents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The truth and the incidents, matched.

    Parameters
    ----------
    planted
        One entry for each planted incident, in order of time.
    unexplained
        Signals that nothing planted explains, with their incidents: false alarms.
    """

    planted: tuple[Recovered, ...]
    unexplained: tuple[tuple[Incident, Signal], ...]

    @property
    def n_found(self) -> int:
        """Return how many planted incidents were found."""
        return sum(one.found for one in self.planted)


def compare_with_truth(planted: Iterable[Planted], incidents: Sequence[Incident]) -> Outcome:
    """Return which planted incidents were found, and which signals are explained by none."""
    truth = sorted(planted, key=lambda one: (one.start_us, one.key))
    return Outcome(
        planted=tuple(_recovered(one, incidents) for one in truth),
        unexplained=tuple(
            (incident, signal)
            for incident in incidents
            for signal in incident.own_signals
            if not any(explains(one, incident, signal) for one in truth)
        ),
    )


def explains(planted: Planted, incident: Incident, signal: Signal) -> bool:
    """Return whether a planted incident explains a signal.

    It does if the system is the same, the signal's first window ends after the start, and the
    series reads one of the columns that may move.
    """
    if incident.system != planted.system or signal.first.window.end_us <= planted.start_us:
        return False
    names = set(_NAMES.findall(signal.identity.series)) | set(
        _NAMES.findall(signal.identity.slice)
    )
    return any(
        name == column or name.startswith(f"{column}/")
        for name in names
        for column in planted.columns
    )


def _recovered(planted: Planted, incidents: Sequence[Incident]) -> Recovered:
    showing = [
        (incident, signal)
        for incident in incidents
        for signal in incident.own_signals
        if explains(planted, incident, signal)
    ]
    first = {incident.id: incident for incident, _ in showing}
    return Recovered(
        planted=planted,
        incidents=tuple(sorted(first.values(), key=lambda one: (one.first_window, one.id))),
        first_us=min((signal.first.window.start_us for _, signal in showing), default=None),
    )
