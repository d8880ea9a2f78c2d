"""The configuration as objects: what the rest of the program is given.

The sections are plain frozen dataclasses. Their fields, with the constraints in the
annotations, are the options, so `monitor.config.forms` needs no second description of them.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import annotated_types as at
from pydantic import ConfigDict, Field

from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window
from detectors.base import Detector, Finding
from monitor.config.decision import DecisionRuleKind, DecisionSettings
from monitor.config.evidence import EvidenceSettings
from monitor.config.notifying import NotifierSettings
from monitor.config.problems import Place
from monitor.config.retention import RetentionSettings
from monitor.config.running import RunSettings
from monitor.config.scalars import EventTime
from monitor.incidents.business_hours import BusinessHours
from monitor.incidents.roles import People
from monitor.rollbacks.plans import RollbackPlan
from monitor.severity.register import SystemRegister
from monitor.severity.scoring import FiveAxes
from monitor.windows.spec import WindowSpec

__all__ = [
    "BaselineSettings",
    "Configuration",
    "DeadLetterSettings",
    "DetectorEntry",
    "IncidentSettings",
    "ReferenceSettings",
    "SliceSettings",
    "StorageSettings",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSettings:
    """Which events a baseline is fitted on.

    Parameters
    ----------
    paths
        Files or globs; null: the files of `source`.
    from_us
        Only events at or after this time; null: from the first event on.
    to_us
        Only events before this time; null: to the last event.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    paths: Annotated[tuple[Annotated[str, at.MinLen(1)], ...], at.MinLen(1)] | None = None
    from_us: Annotated[EventTime | None, Field(alias="from")] = None
    to_us: Annotated[EventTime | None, Field(alias="to")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSettings:
    """Where baselines are kept, which one is compared with, and how one is fitted.

    Parameters
    ----------
    directory
        The folder of baseline versions.
    version
        ``promoted``, or an id or a prefix that only one id begins with.
    reference
        Which events a new baseline is fitted on.
    max_bins
        Bins of a numeric column at full resolution.
    max_levels
        Levels that a category column keeps; rarer ones are counted as *other*.
    sample_rows
        Rows that edges and levels are chosen from.
    min_slice_rows
        A slice with fewer reference rows is compared with the whole reference.
    """

    directory: Path = Path("baselines")
    version: Annotated[str, at.MinLen(1)] = "promoted"
    reference: ReferenceSettings = field(default_factory=ReferenceSettings)
    max_bins: Annotated[int, at.Ge(2), at.Le(4_096)] = 256
    max_levels: Annotated[int, at.Ge(1), at.Le(10_000)] = 100
    sample_rows: Annotated[int, at.Ge(1)] = 200_000
    min_slice_rows: Annotated[int, at.Ge(1)] = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSettings:
    """Parts of the traffic that are watched on their own, besides all of it.

    Parameters
    ----------
    by
        Each entry is one slicing: a column, or a list of columns that are taken together.
    max_values
        The largest slices of a slicing that a window keeps; the rest are added up.
    """

    by: tuple[tuple[str, ...], ...] = ()
    max_values: Annotated[int, at.Ge(1), at.Le(1_000)] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSettings:
    """When breaches join an incident, re-open one and let one recover.

    Parameters
    ----------
    group_windows
        A breach of the same kind within so many windows joins the open incident.
    reopen_seconds
        A breach within this time after closing re-opens the incident.
    recover_windows
        Windows in a row that must be seen and within tolerance before a series recovers that a
        threshold decides; others recover on evidence.
    cannot_see_windows
        Windows in a row in which a series cannot be seen until that is an incident itself.
    drill
        Whether every incident that this monitor opens is practice: it says so, and it is told
        only on channels that take practice.
    business_hours
        When people are at work: mild incidents wait for it, and reviews are due in days of it.
    """

    group_windows: Annotated[int, at.Ge(1)] = 2
    reopen_seconds: Annotated[int, at.Ge(0)] = 86_400
    recover_windows: Annotated[int, at.Ge(1)] = 2
    cannot_see_windows: Annotated[int, at.Ge(1)] = 3
    drill: bool = False
    business_hours: BusinessHours = field(default_factory=BusinessHours)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """Where windows, findings and incidents are kept.

    Parameters
    ----------
    url
        A database URL; ``${NAME}`` is replaced by the environment variable. It is never
        printed.
    """

    url: Annotated[str, at.MinLen(1)] = field(default="sqlite:///outputwatch.db", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterSettings:
    """Where samples of records that could not be read are kept.

    Parameters
    ----------
    path
        A JSON Lines file.
    max_samples_per_reason
        Records kept for each reason in one run; every rejected record is counted.
    """

    path: Path = Path("dead_letters.jsonl")
    max_samples_per_reason: Annotated[int, at.Ge(0)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorEntry:
    """One monitored series.

    Parameters
    ----------
    detector
        The detector with its options.
    for_windows
        Windows in a row beyond tolerance before the series fires.
    place
        Where the entry stands in the configuration.
    name
        Tells the series apart from others of the same detector on the same columns.
    rule
        What makes the series fire.
    weight
        Its share of the budget of false alarms, relative to other series.
    critical
        Whether one window may be enough for evidence.
    """

    detector: Detector
    for_windows: int
    place: Place
    name: str | None = None
    rule: DecisionRuleKind = DecisionRuleKind.THRESHOLD
    weight: float = 1.0
    critical: bool = False

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return self.detector.series + (f" [{self.name}]" if self.name else "")

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the detector says of a window, under the name of the series."""
        finding = self.detector.compare(reference, window)
        return replace(finding, series=self.series) if self.name else finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A valid configuration; paths are absolute.

    Parameters
    ----------
    path
        The file it was read from.
    detectors
        One entry for each series, in the order of the document.
    rollbacks
        What can be switched back, in the order of the document.
    severity
        The policy that suggests how bad incidents are.
    """

    path: Path
    version: Literal[1] = 1
    system: SystemRegister
    source: Any
    schema: Schema
    baseline: BaselineSettings
    windows: WindowSpec
    slices: SliceSettings
    detectors: tuple[DetectorEntry, ...]
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    incidents: IncidentSettings
    storage: StorageSettings
    dead_letters: DeadLetterSettings
    run: RunSettings = field(default_factory=RunSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    people: People = field(default_factory=People)
    severity: FiveAxes = field(default_factory=FiveAxes)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    notifiers: NotifierSettings = field(default_factory=NotifierSettings)
    rollbacks: tuple[RollbackPlan, ...] = ()
