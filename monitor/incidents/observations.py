"""What a signal is, and what its windows have shown."""

import functools
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from baselines.summary import WindowKey
from detectors.base import Direction, Estimate, FailureMode, Finding, GroupCount
from monitor.incidents.exposure import exposed_rows
from monitor.incidents.suggestion import Suggestion

__all__ = ["Observation", "Signal", "SignalIdentity", "SignalKind", "digest", "observation_of"]


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
    return digest(
        identity.system,
        identity.environment,
        identity.failure_mode,
        identity.series,
        identity.slice,
        identity.baseline_id,
        identity.kind,
    )


def digest(*parts: str | int) -> str:
    """Return the sha256 of parts in their order, in hexadecimal."""
    # A separator that no name holds keeps ("ab", "c") apart from ("a", "bc").
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
