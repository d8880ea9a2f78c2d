"""A panel with those who sit in it: where it stands, and the windows that are remembered."""

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from detectors.base import Direction, Estimate
from detectors.evidence.beta_binomial import Array
from detectors.evidence.questions import Question
from detectors.evidence.seasonal import cell_of
from detectors.panels.panel import Panel, PanelReading, PanelState
from monitor.decision.evidence import DatedChange, Evidence, EvidenceEvent
from monitor.decision.onsets import REMEMBERED_WINDOWS, SeenWindow, dated, seen_window
from monitor.decision.state import SeriesKey

__all__ = ["Seat"]

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Seat:
    """One panel, who sits in it, and where it stands.

    Parameters
    ----------
    keys
        The series, in the panel's order.
    references
        Their questions with the baseline's counts.
    panel
        How they are watched.
    state
        Where they stand.
    utc_offset_seconds
        Of the hours of the day.
    recent
        The latest windows of each series since it was last back within tolerance.
    """

    keys: list[SeriesKey]
    references: list[Question]
    panel: Panel
    state: PanelState
    utc_offset_seconds: int = 0
    recent: list[deque[SeenWindow]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.recent:
            self.recent = [deque(maxlen=REMEMBERED_WINDOWS) for _ in self.keys]

    def advance(
        self,
        questions: Mapping[SeriesKey, Question | None],
        starts: Mapping[SeriesKey, int],
        start_us: int,
        log_threshold: Array,
    ) -> dict[SeriesKey, Evidence]:
        """Return where every series stands after one more stretch of time.

        Parameters
        ----------
        questions
            What the windows of this stretch ask; a series that is not named had no window.
        starts
            Starts of the windows of series whose window does not begin at `start_us`.
        start_us
            Start of the other windows, microseconds.
        log_threshold
            ln c of every series of the panel.
        """
        asked = [questions.get(key) for key in self.keys]
        times = [starts.get(key, start_us) for key in self.keys]
        before = self.state
        self.state, reading = self._advanced(asked, times, log_threshold)
        evidence: dict[SeriesKey, Evidence] = {}
        for row, key in enumerate(self.keys):
            if key in questions and not before.firing[row]:
                self.recent[row].append(seen_window(asked[row], times[row]))
            change = self._dated(row) if reading.alarm[row] else None
            if reading.returned[row]:
                self.recent[row].clear()
            evidence[key] = _evidence(reading, row, change, self._least_windows)
        return evidence

    @property
    def _least_windows(self) -> int:
        """Return how many windows an alarm rests on at least, those learned from included."""
        return max(self.panel.rule.min_windows, 1 + self.panel.model.learning)

    def _advanced(
        self, asked: Sequence[Question | None], times: Sequence[int], log_threshold: Array
    ) -> tuple[PanelState, PanelReading]:
        """Return the panel's state and reading, each series at its own hour of the week.

        A panel takes one time for all. Count windows of slices begin apart: the panel is then
        moved once for every hour that occurs, and each series taken from the move at its own.
        """
        cells = cell_of(np.array(times, dtype=np.int64), self.utc_offset_seconds)
        found: tuple[PanelState, PanelReading] | None = None
        for cell in np.unique(cells).tolist():
            here = cells == cell
            time = times[int(here.argmax())]
            moved = self.panel.advance(self.state, asked, time, log_threshold)
            found = moved if found is None else _chosen(here, moved, found)
        if found is None:
            message = "a panel without series cannot be advanced"
            raise ValueError(message)
        return found

    def _dated(self, row: int) -> DatedChange:
        model: Any = self.panel.model
        sides: Any = self.state.sides
        return dated(model, sides, row, self.references[row], list(self.recent[row]))


def _chosen(series: npt.NDArray[np.bool_], ours: T, others: T) -> T:
    """Return `ours` for some series and `others` for the rest, through dataclasses and tuples."""
    if isinstance(ours, np.ndarray):
        where = series.reshape(-1, *[1] * (ours.ndim - 1))
        chosen: Any = np.where(where, ours, np.asarray(others))
        return chosen  # type: ignore[no-any-return]  # np.where of two arrays of T is one
    if isinstance(ours, tuple) and isinstance(others, tuple):
        pairs = zip(ours, others, strict=True)
        return type(ours)(_chosen(series, one, other) for one, other in pairs)
    fields = dataclasses.fields(ours)  # type: ignore[arg-type]
    return type(ours)(
        **{
            each.name: _chosen(series, getattr(ours, each.name), getattr(others, each.name))
            for each in fields
        }
    )


def _evidence(
    reading: PanelReading, row: int, change: DatedChange | None, least_windows: int
) -> Evidence:
    event = EvidenceEvent.NONE
    if reading.alarm[row]:
        event = EvidenceEvent.ALARM
    elif reading.returned[row]:
        event = EvidenceEvent.RETURNED
    value, low = float(reading.departure.value[row]), float(reading.departure.low[row])
    firing = bool(reading.firing[row])
    way = int(reading.direction[row])
    return Evidence(
        event=event,
        firing=firing,
        seen=bool(reading.seen[row]),
        log_r=float(reading.log_r[row]),
        log_threshold=float(reading.log_threshold[row]),
        log_return=float(reading.log_return[row]),
        log_return_threshold=float(reading.log_return_threshold[row]),
        change=change,
        least_windows=least_windows,
        departure=Estimate(value, low, 2 * value - low) if firing and value > 0 else None,
        direction={1: Direction.UP, -1: Direction.DOWN}.get(way if firing else 0, Direction.NONE),
    )
