"""Suggestions beside what people decided: what is reviewed every month to keep them honest.

Weights are never changed by it: it shows people what to look at.
"""

import datetime
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detectors.base import FailureMode
from monitor.errors import OutputwatchError
from monitor.incidents.cases import Case
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier

__all__ = [
    "Account",
    "LookingBack",
    "MedianDuration",
    "Month",
    "MonthError",
    "Overrides",
    "look_back",
]


class MonthError(OutputwatchError):
    """What was given is not a month."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def parsed(cls, text: str) -> "Month":
        """Return the month that is written as ``2026-10``.

        Raises
        ------
        MonthError
            If it is written otherwise.

        Examples
        --------
        >>> str(Month.parsed("2026-10"))
        '2026-10'
        """
        try:
            day = datetime.datetime.strptime(text, "%Y-%m").replace(tzinfo=datetime.UTC)
        except ValueError as error:
            message = f"a month must be written as 2026-10, got {text!r}"
            raise MonthError(message) from error
        return cls(year=day.year, month=day.month)

    @classmethod
    def of(cls, us: int) -> "Month":
        """Return the month that a time lies in, microseconds."""
        day = datetime.datetime.fromtimestamp(us / 1_000_000, tz=datetime.UTC)
        return cls(year=day.year, month=day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """How often people decided otherwise than was suggested, in one failure mode.

    Parameters
    ----------
    n_decided
        Incidents whose tier a person decided.
    n_up, n_down
        Those decided graver, and milder, than what was suggested.
    """

    failure_mode: FailureMode
    n_decided: int
    n_up: int
    n_down: int

    @property
    def share_up(self) -> float | None:
        """Return the share decided graver, 0 to 1; None where nothing was decided."""
        return self.n_up / self.n_decided if self.n_decided else None

    @property
    def share_down(self) -> float | None:
        """Return the share decided milder, 0 to 1; None where nothing was decided."""
        return self.n_down / self.n_decided if self.n_decided else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianDuration:
    """The median of a duration over the incidents in which both of its ends are recorded.

    Parameters
    ----------
    name
        From what to what.
    n
        How many incidents that is.
    low_us, high_us
        Medians of the least and of the greatest lengths; None without any.
    """

    name: str
    n: int
    low_us: int | None = None
    high_us: int | None = None


Table = Mapping[tuple[Tier, Tier], int]
"""How many incidents had the first tier and then the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a set of incidents shows; those that were merged into others are only counted.

    Parameters
    ----------
    cases
        The incidents, in order of becoming known.
    n_merged
        Those that go on in another one.
    decisions
        What was suggested, and what a person decided.
    finals
        What was suggested first, and what counted in the end.
    undecided, dismissed
        By the tier that was suggested first: nobody decided; a person said it is false.
    overrides
        One for each failure mode.
    raised
        Incidents that began as SEV4 and were raised later, the longest first.
    n_confirmations, n_evidence_opened
        Confirmations and decisions, and those by somebody who had opened the evidence.
    medians
        How long steps took.
    """

    cases: tuple[Case, ...]
    n_merged: int
    decisions: Table
    finals: Table
    undecided: Mapping[Tier, int]
    dismissed: Mapping[Tier, int]
    overrides: tuple[Overrides, ...]
    raised: tuple[Case, ...]
    n_confirmations: int
    n_evidence_opened: int
    medians: tuple[MedianDuration, ...]

    @property
    def n_overridden(self) -> int:
        """Return how many tiers were decided otherwise than suggested."""
        return sum(n for (before, after), n in self.decisions.items() if before is not after)

    @property
    def n_decided(self) -> int:
        """Return how many tiers a person decided."""
        return sum(self.decisions.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class LookingBack:
    """A month, or all of it.

    Parameters
    ----------
    month
        The month; None: everything.
    real, practice
        Incidents that became known in it; drills are told apart and never mixed in.
    other_months
        How many incidents became known in the other months, drills included.
    """

    month: Month | None
    real: Account
    practice: Account
    other_months: Mapping[Month, int]


def look_back(cases: Iterable[Case], month: Month | None = None) -> LookingBack:
    """Return what the incidents show that became known in a month.

    An incident counts in the month in which the monitor or a person knew of it: that of an
    audit of old logs is the month of the audit.

    Parameters
    ----------
    cases
        All incidents.
    month
        The month; None: all of them.
    """
    ordered = sorted(cases, key=lambda each: (each.known_us, each.id))
    inside = [each for each in ordered if month in (None, Month.of(each.known_us))]
    outside = [each for each in ordered if month not in (None, Month.of(each.known_us))]
    return LookingBack(
        month=month,
        real=_account([each for each in inside if not each.drill]),
        practice=_account([each for each in inside if each.drill]),
        other_months=dict(sorted(Counter(Month.of(each.known_us) for each in outside).items())),
    )


def _account(found: Sequence[Case]) -> Account:
    cases = tuple(each for each in found if each.state is not IncidentState.MERGED)
    decided = [(each, each.decision) for each in cases if each.decision is not None]
    raised = [each for each in cases if each.sev4_us is not None]
    undecided = [each for each in cases if each.decision is None and not each.dismissed]
    return Account(
        cases=cases,
        n_merged=len(found) - len(cases),
        decisions=Counter((each.suggested, each.decided) for _, each in decided),
        finals=Counter((each.first, each.final) for each in cases if each.final is not None),
        undecided=Counter(each.first for each in undecided),
        dismissed=Counter(each.first for each in cases if each.dismissed),
        overrides=tuple(_overrides(mode, cases) for mode in FailureMode),
        raised=tuple(sorted(raised, key=lambda each: (-(each.sev4_us or 0), each.id))),
        n_confirmations=sum(each.n_confirmations for each in cases),
        n_evidence_opened=sum(each.n_evidence_opened for each in cases),
        medians=_medians(cases),
    )


def _overrides(mode: FailureMode, cases: Iterable[Case]) -> Overrides:
    by = [
        each.decision.overridden
        for each in cases
        if each.failure_mode is mode and each.decision is not None
    ]
    return Overrides(
        failure_mode=mode,
        n_decided=len(by),
        n_up=sum(each > 0 for each in by),
        n_down=sum(each < 0 for each in by),
    )


def _medians(cases: Iterable[Case]) -> tuple[MedianDuration, ...]:
    lengths: dict[str, list[tuple[int, int]]] = {}
    for case in cases:
        for duration in case.durations:
            known = lengths.setdefault(duration.name, [])
            if duration.low_us is not None and duration.high_us is not None:
                known.append((duration.low_us, duration.high_us))
    return tuple(_median(name, known) for name, known in lengths.items())


def _median(name: str, known: Sequence[tuple[int, int]]) -> MedianDuration:
    if not known:
        return MedianDuration(name=name, n=0)
    return MedianDuration(
        name=name,
        n=len(known),
        low_us=round(statistics.median(low for low, _ in known)),
        high_us=round(statistics.median(high for _, high in known)),
    )
