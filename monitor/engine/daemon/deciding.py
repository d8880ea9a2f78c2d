"""Open windows whose time has passed: closed, judged and recorded, each of them once."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from baselines.baseline import Baseline
from baselines.packing import decode_counts
from baselines.summary import Window
from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.decision.state import SeriesKey, SeriesState
from monitor.engine.closing import BREAK_US, Closing, by_bucket
from monitor.engine.daemon.snapshot import SnapshotError, read_snapshot, write_snapshot
from monitor.engine.incident_desk import IncidentDesk
from monitor.engine.judgement import Judge, Judgement
from monitor.engine.notifying import incident_shelf
from monitor.engine.partition import Counts
from monitor.engine.recording import recorded
from monitor.engine.stored_windows import windows_of_job
from monitor.severity.registry import SeverityPolicy
from monitor.storage.store import AuditJob, Store
from monitor.storage.streams import MonitorRow, StreamRepository
from monitor.windows.spec import TumblingWindows

__all__ = ["Decider", "Decision"]

STRETCHES_AT_ONCE = 64
"""Stretches of time that one transaction decides at most, those without any events included.

A long way behind, it takes several: other workers wait for each.
"""

GATHERING_SECONDS = 2.0
"""How long one transaction gathers evidence anew; other workers wait for each."""

Decided = tuple[Sequence[Window], Judgement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided in one transaction.

    Parameters
    ----------
    row
        The monitor's row afterwards.
    stretches
        The windows of each stretch of time, and what they brought.
    more
        Whether further stretches could be decided at once.
    """

    row: MonitorRow
    stretches: tuple[Decided, ...] = ()
    more: bool = False


@dataclass(slots=True, kw_only=True)
class Decider:
    """Decides windows in order of time, whoever counted them.

    Every method is called inside a transaction that holds the monitor's row. What it remembers
    between two decisions is also in that row: it is read again whenever another worker has
    decided meanwhile, or a transaction was undone. Where the evidence must be gathered anew from
    the windows that are stored, that takes several transactions, so that the source is asked
    for records in between and other workers have their turns.

    Parameters
    ----------
    beat
        Is called for every stretch of time, and for every slice that comes under watch.
    monotonic
        Seconds that never go back.
    n_rejudged
        Stretches that were judged again, for their evidence.
    """

    configuration: Configuration
    baseline: Baseline
    store: Store
    streams: StreamRepository
    policy: SeverityPolicy
    clock: Clock
    windows: TumblingWindows
    beat: Callable[[], None] = lambda: None
    monotonic: Callable[[], float] = time.monotonic
    n_rejudged: int = 0
    _gathering: "_Gathering | None" = None
    _judge: Judge | None = None
    _revision: int | None = None
    _saved: dict[SeriesKey, SeriesState] = field(default_factory=dict)

    def decide(
        self, row: MonitorRow, until_us: int, *, silent: bool = False, ended: bool = False
    ) -> Decision:
        """Close and judge the windows that end at or before a time, and record them.

        Parameters
        ----------
        row
            The monitor's row, locked.
        until_us
            The time.
        silent
            Whether windows up to that time without any outputs are windows of silence.
        ended
            Whether the stream ends here: all that is open is closed.
        """
        chosen, quiet_until_us, more = self._due(row, until_us, silent=silent, ended=ended)
        if not chosen and quiet_until_us is None:
            return Decision(row=row)
        judge = self._ready(row)
        if judge is None:
            return Decision(row=row, more=True)
        self._revision = None
        job = AuditJob(
            id=row.job_id, config_digest=row.policy_digest, baseline_id=row.baseline_id,
            created_us=0,
        )  # fmt: skip
        shelf = incident_shelf(self.store, self.configuration, self.streams.name)
        desk = IncidentDesk.over(shelf, self.configuration, self.clock)
        closing = self._closing()
        groups = closing.close(
            by_bucket(self._merged(chosen)),
            previous=row.closed_us,
            ended=ended and not more,
        )
        last = chosen[-1] if chosen else row.closed_us
        if quiet_until_us is not None and last is not None:
            groups = itertools.chain(groups, closing.silence(last, quiet_until_us))
        judged = ((windows, judge.judge(windows)) for windows in self._beating(groups))
        stretches = tuple(recorded(judged, store=self.store, job=job, desk=desk))
        return self._kept(row, judge, stretches, more=more)

    def undone(self) -> None:
        """Forget what was decided in a transaction that was undone."""
        self._revision = None
        self._gathering = None

    def _kept(
        self, row: MonitorRow, judge: Judge, stretches: tuple[Decided, ...], *, more: bool
    ) -> Decision:
        if not stretches:
            self._revision = row.revision
            return Decision(row=row)
        changed = {
            key: state for key, state in judge.states.items() if self._saved.get(key) != state
        }
        self.store.save_states(row.job_id, changed)
        closed_us = stretches[-1][0][0].key.start_us
        after = replace(
            row,
            closed_us=closed_us,
            revision=row.revision + 1,
            snapshot=write_snapshot(judge.remembered(), self.baseline.layout),
        )
        self.streams.save(after)
        self.streams.forget_open(closed_us + 1)
        self._revision = after.revision
        self._saved = dict(judge.states)
        return Decision(row=after, stretches=stretches, more=more)

    def _due(
        self, row: MonitorRow, until_us: int, *, silent: bool, ended: bool
    ) -> tuple[Sequence[int], int | None, bool]:
        """Return what one transaction decides, and whether that is not everything.

        That is the windows with events, by their starts, and until when those without are to
        be added after them.
        """
        length, previous = self.windows.length_us, row.closed_us
        starts = self._passed(until_us, ended=ended)
        most_us = STRETCHES_AT_ONCE * length
        if starts and previous is not None and most_us < starts[0] - previous <= BREAK_US:
            # Nothing came for long, then something: that silence first, a part at a time.
            return (), previous + length + most_us, True
        chosen = [start for start in starts if start < starts[0] + most_us]
        last = chosen[-1] if chosen else previous
        if len(chosen) < len(starts) or not silent or ended or last is None:
            return chosen, None, len(chosen) < len(starts)
        if last + 2 * length > until_us:
            return chosen, None, False
        part_us = last + length + most_us
        return chosen, min(part_us, until_us), part_us + length <= until_us

    def _passed(self, until_us: int, *, ended: bool) -> list[int]:
        length = self.windows.length_us
        starts = self.streams.open_starts()
        return [start for start in starts if ended or start + length <= until_us]

    def _beating(self, groups: Iterable[Sequence[Window]]) -> Iterator[Sequence[Window]]:
        for windows in groups:
            # Many windows take long; the watchdog must see that it goes on.
            self.beat()
            yield windows

    def _merged(self, starts: Sequence[int]) -> Iterator[tuple[int, str, Counts]]:
        if not starts:
            return
        n_cells = self.baseline.layout.n_cells
        for start_us, slice_, bodies in self.streams.merged(starts[-1] + 1):
            total = np.zeros(n_cells, dtype=np.int64)
            for body in bodies:
                total += decode_counts(body, n_cells)
            yield start_us, slice_, total

    def _closing(self) -> Closing:
        return Closing(
            layout=self.baseline.layout,
            windows=self.windows,
            max_values=self.configuration.slices.max_values,
        )

    def _ready(self, row: MonitorRow) -> Judge | None:
        """Return the judge as it stands after the monitor's last decision.

        None: its evidence is being gathered, and it takes longer.
        """
        if self._judge is not None and self._revision == row.revision:
            return self._judge
        known, self._judge = self._judge, None
        judge = None
        if (remembered := self._remembered(row)) is not None:
            # One that has the same series under watch keeps what it knows of the baseline.
            judge = _recalled(known, remembered) or _recalled(self._new_judge(), remembered)
        if judge is None:
            judge = self._gathered(row)
        if judge is not None:
            self._gathering = None
            self._judge = judge
            self._revision = row.revision
            self._saved = dict(judge.states)
        return judge

    def _new_judge(self) -> Judge:
        return Judge(
            configuration=self.configuration,
            baseline=self.baseline,
            policy=self.policy,
            beat=self.beat,
        )

    def _remembered(self, row: MonitorRow) -> Mapping[str, Any] | None:
        """Return the evidence that is stored; None if there is none, or none that can be used."""
        if not row.revision or row.snapshot is None:
            return None
        try:
            remembered: Mapping[str, Any] = read_snapshot(row.snapshot, self.baseline.layout)
        except SnapshotError:
            return None
        return remembered

    def _gathered(self, row: MonitorRow) -> Judge | None:
        """Go on gathering the evidence of the windows that are stored; nothing is recorded.

        None: there are more of them than a few seconds suffice for.
        """
        gathering = self._gathering
        if gathering is None or gathering.revision != row.revision:
            stored = windows_of_job(self.store, self.baseline, row.job_id, after_us=row.begun_us)
            gathering = self._gathering = _Gathering(
                judge=self._new_judge(),
                revision=row.revision,
                stretches=_stretches(stored, first_is_whole=row.begun_us is not None),
            )
        until = self.monotonic() + GATHERING_SECONDS
        for windows in gathering.stretches:
            # Many windows take long; the watchdog must see that it goes on.
            self.beat()
            gathering.judge.judge(windows)
            self.n_rejudged += 1
            if self.monotonic() >= until:
                return None
        return gathering.judge


@dataclass(slots=True, kw_only=True)
class _Gathering:
    """Evidence that is being gathered anew from the windows that are stored.

    Parameters
    ----------
    judge
        What has gathered it so far.
    revision
        After which decision it will stand.
    stretches
        The stretches that are left; no cursor is open between two of them.
    """

    judge: Judge
    revision: int
    stretches: Iterator[Sequence[Window]]


def _stretches(windows: Iterable[Window], *, first_is_whole: bool) -> Iterator[list[Window]]:
    """Yield the windows of each stretch as they were when they were judged."""
    groups = itertools.groupby(windows, key=lambda window: window.key.start_us)
    for number, (_, group) in enumerate(groups):
        whole = number > 0 or first_is_whole
        yield [replace(each, complete=whole) for each in group]


def _recalled(judge: Judge | None, remembered: Mapping[str, Any]) -> Judge | None:
    """Return a judge that goes on from there; None if it has other series under watch."""
    if judge is None:
        return None
    try:
        judge.recall(remembered)
    except (ValueError, LookupError, TypeError):
        return None
    return judge
