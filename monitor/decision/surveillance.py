"""All series of a monitor under one budget of false alarms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array
from detectors.evidence.budget import log_thresholds
from detectors.evidence.questions import (
    GapQuestion,
    MixQuestion,
    Question,
    RateQuestion,
    SilenceQuestion,
)
from detectors.evidence.shiryaev_roberts import EvidenceRule, leak_windows
from detectors.panels.gap_reference import stands_beyond
from detectors.panels.gaps import GapModel
from detectors.panels.mixes import MixModel
from detectors.panels.model import History
from detectors.panels.panel import Panel
from detectors.panels.rates import RateModel
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.calibration import PanelModel, calibrated
from monitor.decision.evidence import Calibration, Evidence, Shadow
from monitor.decision.seats import Seat
from monitor.decision.state import SeriesKey

__all__ = ["Replay", "Surveillance", "Watched"]

MIN_HISTORY_WINDOWS = 8

_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One series as it comes under watch.

    Parameters
    ----------
    key
        Which series, on which slice.
    reference
        The question with the baseline's counts.
    history
        The baseline's own windows.
    weight
        Its share of the budget, relative to the others.
    min_windows
        Windows that an alarm takes at least.
    """

    key: SeriesKey
    reference: Question
    history: History
    weight: float = 1.0
    min_windows: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The detectors on the baseline's own windows, before they watch anything.

    Parameters
    ----------
    budget
        What is accepted over all series.
    n_series
        Series that share it.
    n_windows
        Windows that were replayed, of the series with the most.
    n_widened
        Series that were quiet only with a wider tolerance.
    n_loud
        Series that were quiet at no tolerance tried, watched without alarms.
    n_shadow
        Series with too few windows of their own, watched without alarms.
    n_standing
        Gaps that are beyond tolerance in the baseline itself.
    """

    budget: FalseAlarmBudget
    n_series: int
    n_windows: int
    n_widened: int
    n_loud: int
    n_shadow: int
    n_standing: int = 0

    @property
    def sentence(self) -> str:
        """Return it in words."""
        parts = [f"{self.n_series} series share the false-alarm budget of {self.budget}"]
        if self.n_series:
            wider = f", {self.n_widened} series with a wider tolerance" if self.n_widened else ""
            parts.append(
                f"replayed on the baseline's own {self.n_windows} windows: 0 incidents{wider}"
            )
        if self.n_standing:
            parts.append(f"{self.n_standing} gaps are beyond tolerance in the baseline itself")
        if self.n_loud:
            parts.append(
                f"{self.n_loud} more in shadow, not covered by the budget: quiet at no tolerance "
                "tried"
            )
        if self.n_shadow:
            parts.append(f"{self.n_shadow} more in shadow: the baseline has too few windows")
        return "; ".join(parts)


@dataclass(slots=True, kw_only=True)
class Surveillance:
    """Gathers evidence on every series; thresholds follow from one budget.

    Series may come later; every threshold then rises so that the budget still holds for all.

    Parameters
    ----------
    budget
        What is accepted over all series.
    window_seconds
        Usual length of a window: how many there are in the budget's period.
    utc_offset_seconds
        Of the hours of the day that count as the same.
    """

    budget: FalseAlarmBudget
    window_seconds: float
    utc_offset_seconds: int = 0
    shadows: dict[SeriesKey, Shadow] = field(default_factory=dict)
    calibrations: dict[SeriesKey, Calibration] = field(default_factory=dict)
    _weights: dict[SeriesKey, float] = field(default_factory=dict)
    _seats: list[Seat] = field(default_factory=list)

    def add(self, watched: Sequence[Watched]) -> None:
        """Take series under watch: calibrate them and replay the baseline's own windows.

        A series with fewer than eight windows in the baseline goes into shadow, and so does
        one whose own windows would raise an alarm at every tolerance tried.
        """
        ready: list[Watched] = []
        for one in watched:
            if one.history.n_windows < MIN_HISTORY_WINDOWS:
                self.shadows[one.key] = Shadow(
                    n_windows=one.history.n_windows, needed=MIN_HISTORY_WINDOWS
                )
            else:
                ready.append(one)
                self._weights[one.key] = one.weight
        for group in _alike(ready):
            self._seats += self._seated(group)
        # Only now: every series of these is calibrated against the same thresholds.
        for key in self._weights.keys() & self.shadows.keys():
            del self._weights[key]

    def remembered(self) -> dict[str, Any]:
        """Return which series are under watch, how they are, and where they stand."""
        return {
            "seats": self._seats,
            "weights": self._weights,
            "shadows": self.shadows,
            "calibrations": self.calibrations,
        }

    def recall(self, remembered: Mapping[str, Any]) -> None:
        """Go on from what `remembered` returned; nothing is calibrated again for it."""
        self._seats = remembered["seats"]
        self._weights = remembered["weights"]
        self.shadows = remembered["shadows"]
        self.calibrations = remembered["calibrations"]

    def leave_out(self, key: SeriesKey) -> None:
        """Put a series into shadow that the baseline has nothing to compare with."""
        self.shadows[key] = Shadow(n_windows=0, needed=MIN_HISTORY_WINDOWS)

    @property
    def n_series(self) -> int:
        """Return how many series share the budget."""
        return len(self._weights)

    def panels(self) -> Iterator[tuple[Seat, Array]]:
        """Yield every panel with ln c of its series, in the panel's order."""
        for seat in self._seats:
            yield seat, self._log_thresholds(seat.keys)

    def replay(self) -> Replay:
        """Return what the replay on the baseline's own windows showed."""
        found = self.calibrations.values()
        return Replay(
            budget=self.budget,
            n_series=self.n_series,
            n_windows=max((one.n_windows for one in found), default=0),
            n_widened=sum(one.widened > 1 and one.quiet for one in found),
            n_loud=sum(not (one.quiet or one.standing) for one in found),
            n_shadow=sum(not one.loud for one in self.shadows.values()),
            n_standing=sum(one.standing for one in found),
        )

    def advance(
        self,
        questions: Mapping[SeriesKey, Question | None],
        start_us: int,
        starts: Mapping[SeriesKey, int] | None = None,
    ) -> dict[SeriesKey, Evidence]:
        """Return where every series stands after one more stretch of time.

        Parameters
        ----------
        questions
            What the windows of this stretch ask; a series that is not named had no window.
        start_us
            Start of the windows, microseconds.
        starts
            Starts of the windows of series that do not begin then, as slices of a number of
            outputs do not.
        """
        evidence: dict[SeriesKey, Evidence] = {}
        for seat in self._seats:
            thresholds = self._log_thresholds(seat.keys)
            evidence.update(seat.advance(questions, starts or {}, start_us, thresholds))
        return evidence

    def _seated(self, group: Sequence[Watched]) -> list[Seat]:
        """Return the panels of series of one kind, one for each widening of gaps."""
        histories = [one.history for one in group]
        keys = [one.key for one in group]
        thresholds = self._log_thresholds(keys)
        leak = leak_windows(np.full(len(keys), _DAY_SECONDS / self.window_seconds), thresholds)
        rule = EvidenceRule(min_windows=group[0].min_windows)
        model = self._model([one.reference for one in group], histories)
        standing = _standing(model, group)
        found = calibrated(
            model, histories, rule=rule, leak=leak, thresholds=thresholds, standing=standing
        )
        self.calibrations.update(zip(keys, found.calibrations, strict=True))
        covered = np.array([one.quiet or one.standing for one in found.calibrations])
        for row in np.flatnonzero(~covered).tolist():
            n_windows = found.calibrations[row].n_windows
            self.shadows[keys[row]] = Shadow(
                n_windows=n_windows, needed=MIN_HISTORY_WINDOWS, loud=True
            )
        seats = []
        for rows in _panels(model, found.factors, covered):
            part = model.take(rows).widened(found.factors[rows])
            panel = Panel(model=part, rule=rule, leak=leak[rows])
            seats.append(
                Seat(
                    keys=[keys[row] for row in rows],
                    references=[group[row].reference for row in rows],
                    panel=panel,
                    state=panel.begin(thresholds[rows]),
                    utc_offset_seconds=self.utc_offset_seconds,
                )
            )
        return seats

    def _model(self, references: Sequence[Question], histories: Sequence[History]) -> PanelModel:
        offset = self.utc_offset_seconds
        mixes = [question for question in references if isinstance(question, MixQuestion)]
        gaps = [question for question in references if isinstance(question, GapQuestion)]
        rates = [
            question
            for question in references
            if isinstance(question, RateQuestion | SilenceQuestion)
        ]
        if mixes:
            return MixModel.calibrated(mixes, histories, utc_offset_seconds=offset)
        if gaps:
            return GapModel.calibrated(gaps, histories)
        return RateModel.calibrated(rates, histories, utc_offset_seconds=offset)

    def _log_thresholds(self, keys: Sequence[SeriesKey]) -> Array:
        """Return ln c of some series: their part of the budget of all."""
        weights = np.array([self._weights[key] for key in keys])
        total = sum(self._weights.values())
        windows = self.budget.seconds / self.window_seconds
        everything = log_thresholds([windows], self.budget.incidents)[0]
        logs: Array = np.maximum(everything - np.log(weights / total), 0.0)
        return logs


def _alike(watched: Sequence[Watched]) -> list[list[Watched]]:
    """Return the series in groups that one panel can hold, in a fixed order."""
    groups: dict[tuple[Any, ...], list[Watched]] = {}
    for one in sorted(watched, key=lambda each: each.key):
        question = one.reference
        kind: tuple[Any, ...] = ("rate",)
        if isinstance(question, MixQuestion):
            kind = ("mix",)
        elif isinstance(question, GapQuestion):
            tolerated = question.tolerated
            known = int((question.reference_totals > 0).sum())
            kind = ("gap", tolerated.kind, tolerated.limit, question.totals.shape, known == 2)
        groups.setdefault((*kind, one.min_windows), []).append(one)
    return list(groups.values())


def _standing(model: PanelModel, group: Sequence[Watched]) -> npt.NDArray[np.bool_]:
    """Return which gaps are beyond tolerance in the baseline itself."""
    return np.array(
        [
            isinstance(one.reference, GapQuestion)
            and stands_beyond(one.reference, one.history, float(correlation))
            for one, correlation in zip(group, model.correlation, strict=True)
        ],
        dtype=np.bool_,
    )


def _panels(model: PanelModel, factors: Array, covered: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Return the covered rows that go into one panel: a panel of gaps has one tolerance."""
    if not isinstance(model, GapModel):
        rows = np.flatnonzero(covered).tolist()
        return [rows] if rows else []
    return [
        np.flatnonzero(covered & (factors == factor)).tolist()
        for factor in np.unique(factors[covered])
    ]
