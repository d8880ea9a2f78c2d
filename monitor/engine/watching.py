"""Windows to evidence: which series there are, what they ask, and what is remembered."""

import functools
import operator
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from baselines.reference import Reference
from baselines.summary import Window, WindowKey
from detectors.evidence.questions import Question
from detectors.panels.model import History
from monitor.config.model import Configuration, DetectorEntry
from monitor.decision.evidence import DatedChange, Evidence, Onset
from monitor.decision.onsets import REMEMBERED_WINDOWS
from monitor.decision.state import SeriesKey
from monitor.decision.surveillance import Surveillance, Watched
from monitor.windows.spec import TumblingWindows

__all__ = ["Watching", "added_up", "window_seconds"]

RECENT_WINDOWS = 32
"""Windows of each slice whose counts are kept, to measure a change since it began."""

ONE_WINDOW_IS_ENOUGH = frozenset({"filter_silence", "missing_rate", "safety_coverage"})
"""Detectors of broken input: nothing else of the window can be trusted meanwhile."""


def window_seconds(configuration: Configuration, reference: Reference) -> float:
    """Return the usual length of a window in seconds.

    That of the configuration; for windows of a number of events, the mean of the baseline's.
    """
    windows = configuration.windows
    if isinstance(windows, TumblingWindows):
        return float(windows.seconds)
    history = reference.history
    if len(history) < 2:
        return 86_400.0
    span_us = history[-1].key.end_us - history[0].key.start_us
    return max(span_us / len(history) / 1_000_000, 1.0)


def added_up(windows: Sequence[Window]) -> Window:
    """Return windows of one slice, in order of time, as one window with all their counts."""
    total = functools.reduce(operator.add, (window.summary for window in windows))
    first, last = windows[0].key, windows[-1].key
    key = WindowKey(first.start_us, last.end_us, last.slice, last.ordinal)
    return Window(key, total, complete=all(window.complete for window in windows))


@dataclass(slots=True, kw_only=True)
class Watching:
    """The evidence of every series that is decided on evidence.

    Parameters
    ----------
    entries
        The detectors that are decided so.
    surveillance
        Gathers evidence under the budget.
    reference_of
        Returns what a slice is compared with.
    beat
        Is called for every slice whose history is read, which takes long.
    """

    entries: Sequence[DetectorEntry]
    surveillance: Surveillance
    reference_of: Callable[[str], Reference]
    beat: Callable[[], None] = lambda: None
    _slices: set[str] = field(default_factory=set)
    _added: list[tuple[str, ...]] = field(default_factory=list)
    _recent: dict[str, deque[Window]] = field(default_factory=dict)
    _keys: dict[str, deque[WindowKey]] = field(default_factory=dict)
    _exposed: dict[SeriesKey, deque[int]] = field(default_factory=dict)

    def take(self, windows: Sequence[Window]) -> Mapping[SeriesKey, Evidence]:
        """Return where every series stands after the windows of one stretch of time."""
        new = [window for window in windows if window.key.slice not in self._slices]
        if new:
            self.add(tuple(window.key.slice for window in new))
        questions: dict[SeriesKey, Question | None] = {}
        starts: dict[SeriesKey, int] = {}
        for window in windows:
            slice_ = window.key.slice
            self._recent.setdefault(slice_, deque(maxlen=RECENT_WINDOWS)).append(window)
            self._keys.setdefault(slice_, deque(maxlen=REMEMBERED_WINDOWS)).append(window.key)
            reference = self.reference_of(slice_)
            for entry in self.entries:
                key = SeriesKey(entry.series, slice_)
                questions[key] = entry.detector.question(reference, window)
                starts[key] = window.key.start_us
        found = self.surveillance.advance(questions, windows[0].key.start_us, starts)
        return {
            key: one if one.change is None else replace(one, onset=self._onset(key, one.change))
            for key, one in found.items()
        }

    def remembered(self) -> dict[str, Any]:
        """Return everything that later evidence depends on, for `recall`."""
        return {
            "added": tuple(self._added),
            "seats": self.surveillance.remembered(),
            "recent": self._recent,
            "keys": self._keys,
            "exposed": self._exposed,
        }

    def recall(self, remembered: Mapping[str, Any]) -> None:
        """Go on from what `remembered` returned, in another process for example.

        Raises
        ------
        ValueError
            If other slices have been taken under watch already.
        """
        added = list(remembered["added"])
        if self._added != added[: len(self._added)]:
            message = (
                f"evidence on {len(added)} slicings cannot be recalled over other ones: "
                f"{self._added!r}"
            )
            raise ValueError(message)
        # Calibrating them anew would give the same, after many seconds.
        self._added = added
        self._slices = {slice_ for slices in added for slice_ in slices}
        self.surveillance.recall(remembered["seats"])
        self._recent = remembered["recent"]
        self._keys = remembered["keys"]
        self._exposed = remembered["exposed"]

    def add(self, slices: tuple[str, ...]) -> None:
        """Take the series of some slices under watch; `take` does it for those that come."""
        self.surveillance.add([series for slice_ in slices for series in self._series(slice_)])
        self._slices.update(slices)
        self._added.append(slices)

    def note_exposed(self, key: SeriesKey, n_exposed: int) -> None:
        """Remember how many outputs of the latest window a series concerns."""
        self._exposed.setdefault(key, deque(maxlen=REMEMBERED_WINDOWS)).append(n_exposed)

    def _onset(self, key: SeriesKey, change: DatedChange) -> Onset:
        """Return the windows of an onset, and what had been exposed before the latest one."""
        keys = self._keys[key.slice]
        exposed = list(self._exposed.get(key, ()))
        return Onset(
            window=keys[-1 - change.windows_ago],
            earliest=keys[-1 - change.earliest],
            latest=keys[-1 - change.latest],
            n_windows=change.n_windows,
            n_exposed=sum(exposed[len(exposed) - change.windows_ago :]),
            may_be_older=change.may_be_older,
        )

    def since(self, onset: WindowKey) -> Sequence[Window]:
        """Return the windows of a slice from one on, oldest first; the last 32 at most."""
        recent = self._recent[onset.slice]
        return [window for window in recent if window.key >= onset] or [recent[-1]]

    def _series(self, slice_: str) -> list[Watched]:
        """Return the series of a slice; one that the baseline cannot be asked is left out."""
        self.beat()
        reference = self.reference_of(slice_)
        everything = Window(WindowKey(0, 1, slice_), reference.summary)
        watched = []
        for entry in self.entries:
            question = entry.detector.question(reference, everything)
            if question is None:
                self.surveillance.leave_out(SeriesKey(entry.series, slice_))
                continue
            history = History(
                start_us=tuple(past.key.start_us for past in reference.history),
                questions=tuple(
                    entry.detector.question(reference, past) for past in reference.history
                ),
            )
            swift = entry.critical or entry.detector.name in ONE_WINDOW_IS_ENOUGH
            watched.append(
                Watched(
                    key=SeriesKey(entry.series, slice_),
                    reference=question,
                    history=history,
                    weight=entry.weight,
                    min_windows=1 if swift or question.kind == "mix" else 2,
                )
            )
        return watched
