"""The contract of a detector: what it is given and what it gives back."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from baselines.layout import TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window

if TYPE_CHECKING:
    from detectors.evidence.questions import Question

__all__ = [
    "Detector",
    "Direction",
    "Estimate",
    "FailureMode",
    "Finding",
    "GroupCount",
    "Measure",
    "Verdict",
]


class FailureMode(StrEnum):
    """The four kinds of AI incident, each with severity rules of its own."""

    BIAS = "bias"
    SAFETY = "safety"
    PERFORMANCE = "performance"
    BEHAVIOURAL = "behavioural"


class Verdict(StrEnum):
    """What one comparison says about one window."""

    WITHIN = "within"
    BEYOND = "beyond"
    INSUFFICIENT_DATA = "insufficient_data"
    CANNOT_SEE = "cannot_see"


class Direction(StrEnum):
    """Which way the window departs from the baseline."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its confidence bounds, ``low <= value <= high``."""

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> "Estimate":
        """Return the estimate multiplied by `factor` > 0."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Measure:
    """A reported number that the verdict does not rest on; bounds where they are known."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class GroupCount:
    """One group's share in a gap: `positives` of `rows`, window and reference apart."""

    group: str
    rows: int
    positives: int

    @property
    def rate(self) -> float | None:
        """Return positives over rows, None for an empty group."""
        return self.positives / self.rows if self.rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of comparing one window with a baseline.

    Parameters
    ----------
    detector
        The registered name of the detector.
    series
        What is watched, unique within a monitor and a slice: ``total_variation(income)``.
    failure_mode
        Which kind of incident a breach is.
    verdict
        `BEYOND` only if the whole interval of the effect is beyond the tolerance.
    effect
        The departure in `unit`, larger is worse; None unless the verdict is within or beyond.
    tolerance
        The effect that the user accepts, in `unit`.
    unit
        The effect's unit in words, for example ``share of outputs that moved``.
    departure
        The effect in multiples of the tolerance (1 = at tolerance), on the scale that
        severity rules use; None when there is no effect.
    direction
        Which way a rate or a mean went.
    columns
        The columns that were read; broken input on one of them explains the finding.
    n_rows, n_reference_rows
        Rows that the effect rests on.
    measures
        Further numbers, reported but not decided on.
    groups
        Counts by group, for gaps.
    worse_off
        The groups on the worse side of a gap.
    n_affected
        Outputs in the window on the wrong side, None if that has no meaning here.
    headline
        What departed, in a few words for a title: no tolerance, no time, no slice.
    sentence
        What happened, in one sentence, without a p-value.
    notes
        What a reader must know: approximations, suppressed groups, missing labels.
    """

    detector: str
    series: str
    failure_mode: FailureMode
    verdict: Verdict
    effect: Estimate | None = None
    tolerance: float = 0.0
    unit: str = ""
    departure: Estimate | None = None
    direction: Direction = Direction.NONE
    columns: tuple[str, ...] = ()
    n_rows: int = 0
    n_reference_rows: int = 0
    measures: tuple[Measure, ...] = ()
    groups: tuple[GroupCount, ...] = ()
    worse_off: tuple[str, ...] = ()
    n_affected: int | None = None
    headline: str = ""
    sentence: str = ""
    notes: tuple[str, ...] = ()

    def measure(self, name: str) -> float:
        """Return the value of the measure called `name`; KeyError if there is none."""
        for measure in self.measures:
            if measure.name == name:
                return measure.value
        raise KeyError(name)


@runtime_checkable
class Detector(Protocol):
    """One monitored series: options as fields, `compare` and `question` as pure functions."""

    name: ClassVar[str]

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        ...

    @property
    def failure_mode(self) -> FailureMode:
        """Return which kind of incident a breach is."""
        ...

    @property
    def asks(self) -> bool:
        """Return whether `question` has answers: evidence can be gathered over windows."""
        ...

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        ...

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return the tables that `compare` and `question` read."""
        ...

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        ...

    def question(self, reference: Reference, window: Window) -> "Question | None":
        """Return the counts that evidence over many windows is gathered from.

        They do not depend on any least number of rows: evidence is valid for any number.

        Returns
        -------
        Question or None
            None if this window cannot be asked: the baseline does not hold the table, or
            window or reference has no row to compare. Always None unless `asks`.
        """
        ...
