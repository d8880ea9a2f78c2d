"""What another policy would have raised on the windows of past audits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from baselines.baseline import Baseline
from baselines.layout import table_name
from baselines.summary import Window, WindowKey
from monitor.clock import FixedClock
from monitor.config.model import Configuration, DetectorEntry
from monitor.decision.advance import Event
from monitor.engine.incident_desk import IncidentDesk
from monitor.engine.incident_pairs import IncidentPair, paired
from monitor.engine.judgement import Judge, Judgement
from monitor.engine.progress import Progress
from monitor.engine.reading import TimeRange
from monitor.engine.stored_windows import StoredWindows
from monitor.engine.unstored_incidents import UnstoredIncidents
from monitor.errors import OutputwatchError
from monitor.features.registry import with_features
from monitor.incidents.model import Incident
from monitor.windows.slices import ALL
from monitor.windows.wording import describe_windows, windows_in_words

__all__ = ["Backtest", "BacktestError", "QuietPart", "Trial", "run_backtest"]

_DAY_US = 86_400_000_000
_ALARMS = frozenset({Event.FIRED, Event.CANNOT_SEE})


class BacktestError(OutputwatchError):
    """Two policies that cannot be compared on the same windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietPart:
    """What a policy raised where nothing was to be raised.

    Parameters
    ----------
    days
        Length of the windows there.
    alarms
        Series that began to fire there, or could no longer be seen.
    incidents
        Incidents that began there.
    """

    days: float
    alarms: int
    incidents: int

    def per_90_days(self, number: int) -> float | None:
        """Return a number of the quiet part as a rate, None if there is no quiet part."""
        return 90 * number / self.days if self.days > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one policy does on the windows.

    Parameters
    ----------
    configuration
        The policy, with the detectors that could be judged.
    left_out
        Detectors whose tables the windows do not have: the series, and the table.
    in_shadow
        Series that are watched without alarms, with the reason.
    incidents
        In order of beginning; each resolved as soon as that was proposed.
    n_alarms
        How often series began to fire, or could no longer be seen.
    quiet
        The same where nothing was to be raised.
    """

    configuration: Configuration
    left_out: Mapping[str, str]
    in_shadow: Mapping[str, str]
    incidents: tuple[Incident, ...]
    n_alarms: int
    quiet: QuietPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Two policies on the same windows.

    Parameters
    ----------
    baseline_id
        What windows were compared with.
    n_windows
        Stretches of time.
    n_audits
        Audits that counted them.
    from_us, to_us
        Start of the first window and end of the last; None if events have no times.
    old, new
        What either policy does.
    pairs
        The incidents of both, those of one change together.
    numbers
        The place of every window in time, from 0.
    n_cut_short
        Stretches among them that were closed before their time: their volume is not judged.
    """

    baseline_id: str
    n_windows: int
    n_audits: int
    from_us: int | None
    to_us: int | None
    old: Trial
    new: Trial
    pairs: tuple[IncidentPair, ...]
    numbers: Mapping[WindowKey, int]
    n_cut_short: int = 0

    def delay(self, pair: IncidentPair) -> int | None:
        """Return by how many windows the new policy was later; None unless both saw it."""
        if not pair.is_common:
            return None
        return self.numbers[pair.new[0].first_window] - self.numbers[pair.old[0].first_window]


@dataclass(slots=True, kw_only=True)
class _Run:
    """One policy while windows go by."""

    judge: Judge
    desk: IncidentDesk
    left_out: Mapping[str, str]
    quiet: TimeRange
    n_alarms: int = 0
    n_quiet_alarms: int = 0

    def take(self, windows: Sequence[Window]) -> None:
        judgement = self.judge.judge(windows)
        self.desk.take(judgement)
        n_alarms = _alarms(judgement)
        self.n_alarms += n_alarms
        if _lies_in(windows[0].key, self.quiet):
            self.n_quiet_alarms += n_alarms

    def trial(self, quiet_days: float) -> Trial:
        watching = self.judge.watching
        shadows = watching.surveillance.shadows if watching is not None else {}
        incidents = self.desk.incidents
        begun = sum(_lies_in(each.first_window, self.quiet) for each in incidents)
        return Trial(
            configuration=self.judge.configuration,
            left_out=self.left_out,
            in_shadow={
                _series_text(key.series, key.slice): shadow.sentence
                for key, shadow in sorted(shadows.items())
            },
            incidents=incidents,
            n_alarms=self.n_alarms,
            quiet=QuietPart(days=quiet_days, alarms=self.n_quiet_alarms, incidents=begun),
        )


def run_backtest(
    windows: StoredWindows,
    *,
    baseline: Baseline,
    old: Configuration,
    new: Configuration,
    progress: Progress,
    quiet: TimeRange | None = None,
) -> Backtest:
    """Return what two policies make of the same windows. Nothing is stored.

    Parameters
    ----------
    windows
        As past audits stored them.
    baseline
        What windows are compared with, under both policies.
    old, new
        The policies: detectors, decision, incidents, severity and the system register.
    progress
        Told of each stretch of time.
    quiet
        Where nothing was to be raised; None: the time of the baseline's own windows.

    Raises
    ------
    BacktestError
        If the policies cut time differently, or the windows lack what one of them reads.
    """
    _check_windows(old, new)
    quiet = quiet or _reference_time(baseline)
    runs = [_run(each, baseline, quiet) for each in (old, new)]
    for run in runs:
        run.judge.compare_all(windows)
    numbers: dict[WindowKey, int] = {}
    quiet_us = 0
    progress.start("judging stored windows", len(windows))
    for number, stretch in enumerate(windows):
        numbers.update((window.key, number) for window in stretch)
        if _lies_in(stretch[0].key, quiet):
            quiet_us += stretch[0].key.end_us - stretch[0].key.start_us
        for run in runs:
            run.take(stretch)
        progress.advance()
    trials = [run.trial(quiet_us / _DAY_US) for run in runs]
    has_times = all(key.has_times for key in numbers)
    return Backtest(
        baseline_id=baseline.id,
        n_windows=len(windows),
        n_audits=windows.n_audits,
        from_us=min(key.start_us for key in numbers) if has_times else None,
        to_us=max(key.end_us for key in numbers) if has_times else None,
        old=trials[0],
        new=trials[1],
        pairs=paired(trials[0].incidents, trials[1].incidents, _names(old), _names(new)),
        numbers=numbers,
        n_cut_short=windows.n_cut_short,
    )


def _check_windows(old: Configuration, new: Configuration) -> None:
    cuts = [describe_windows(each.windows) for each in (old, new)]
    for cut in cuts:
        cut.pop("allowed_lateness_seconds", None)
    if cuts[0] != cuts[1]:
        message = (
            f"both configurations must cut time alike to be compared on the same windows, "
            f"got {windows_in_words(cuts[0])} and {windows_in_words(cuts[1])}"
        )
        raise BacktestError(message)


def _run(configuration: Configuration, baseline: Baseline, quiet: TimeRange) -> _Run:
    lacking = {entry.series: _lacking(entry, baseline) for entry in configuration.detectors}
    kept = tuple(each for each in configuration.detectors if lacking[each.series] is None)
    if not kept:
        message = (
            f"the stored windows must have the tables of a detector of "
            f"{str(configuration.path)!r} at least, got none of {sorted(lacking)}; fit a baseline "
            "for these detectors and audit the log again"
        )
        raise BacktestError(message)
    configuration = replace(configuration, detectors=kept)
    return _Run(
        judge=Judge(configuration=configuration, baseline=baseline, policy=configuration.severity),
        desk=IncidentDesk.over(UnstoredIncidents(), configuration, FixedClock(0)),
        left_out={series: table for series, table in lacking.items() if table is not None},
        quiet=quiet,
    )


def _lacking(entry: DetectorEntry, baseline: Baseline) -> str | None:
    """Return a table that the entry reads and the baseline's windows do not have."""
    for need in entry.detector.tables(with_features(baseline.schema)):
        if table_name(need) not in baseline.layout:
            return table_name(need)
    return None


def _reference_time(baseline: Baseline) -> TimeRange:
    keys = [window.key for window in baseline.reference(ALL).history]
    if not keys or not keys[0].has_times:
        return TimeRange(from_us=0, to_us=0)
    return TimeRange(from_us=keys[0].start_us, to_us=max(key.end_us for key in keys))


def _lies_in(key: WindowKey, time: TimeRange) -> bool:
    begun = time.from_us is None or key.start_us >= time.from_us
    return begun and (time.to_us is None or key.end_us <= time.to_us)


def _alarms(judgement: Judgement) -> int:
    return sum(not _ALARMS.isdisjoint(each.transition.events) for each in judgement.judged)


def _names(configuration: Configuration) -> dict[str, str]:
    return {entry.series: entry.detector.series for entry in configuration.detectors}


def _series_text(series: str, slice_: str) -> str:
    return series if slice_ == ALL else f"{series} on {slice_}"
