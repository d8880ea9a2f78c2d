"""From made-up outputs to a baseline and windows, fitted and counted as those of a log are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from baselines.baseline import ALL_TRAFFIC, Baseline, Provenance
from baselines.layout import Layout
from baselines.schema import Schema
from baselines.summary import Window, WindowKey, WindowSummary
from monitor import __version__
from monitor.config.model import Configuration
from monitor.config.problems import ConfigurationError, Place, Problem
from monitor.features.registry import with_features
from monitor.policy_tests.grids import Grids
from monitor.policy_tests.model import MadeSeries, PolicyTest
from monitor.policy_tests.shorthand import Outputs
from monitor.windows.spec import TumblingWindows
from monitor.windows.wording import describe_windows

__all__ = ["Scene", "made_scene"]

_START_US = 1_767_571_200_000_000
"""2026-01-05T00:00Z, a Monday."""

Stretch = tuple[tuple[Outputs, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a test is judged on.

    Parameters
    ----------
    baseline
        The made-up windows before the test.
    windows
        The windows fed: those of one stretch of time together, one for each slice.
    """

    baseline: Baseline
    windows: tuple[tuple[Window, ...], ...]


def made_scene(test: PolicyTest, configuration: Configuration, window_seconds: int) -> Scene:
    """Return the baseline and the windows of a test.

    Parameters
    ----------
    test
        What is written.
    configuration
        The policy under test, with its schema.
    window_seconds
        Length of a window.

    Raises
    ------
    ConfigurationError
        If the series of the test contradict each other.
    """
    schema = with_features(configuration.schema)
    written = {
        (each.entry.series, each.slice): each for each in test.series if each.baseline is not None
    }
    grids = Grids(schema, configuration.baseline)
    _fit(grids, test, tuple(written.values()))
    layout = grids.layout()
    before = _summaries(grids, layout, written, fed=False)
    fed = _summaries(grids, layout, written, fed=True)
    _check_sizes(test, configuration, before)
    length_us = window_seconds * 1_000_000
    n_before = max(map(len, before.values()))
    history = _windows(before, _begin(configuration, length_us), length_us, configuration)
    start_us = _begin(configuration, length_us) + n_before * length_us
    return Scene(
        baseline=_baseline(schema, layout, before, history, configuration),
        windows=tuple(_windows(fed, start_us, length_us, configuration)),
    )


def _fit(grids: Grids, test: PolicyTest, written: Sequence[MadeSeries]) -> None:
    """Fit the tables of every series that writes some, once for all its slices."""
    if not written:
        _refuse(test.place, "must have baseline and windows for one series at least")
    firsts: dict[str, MadeSeries] = {}
    for each in written:
        firsts.setdefault(each.entry.series, each)
    for first in firsts.values():
        series, detector = first.entry.series, first.entry.detector
        taken = grids.owner(detector)
        if taken is not None:
            _refuse(
                first.place,
                f"{series} reads the table {taken[0]!r}, which {taken[1]} writes in this test; "
                "leave its baseline and windows out to judge it on what is there",
            )
        ours = [each.baseline or () for each in written if each.entry is first.entry]
        grids.add(series, detector, [outputs for baseline in ours for outputs in baseline])
    slices = {each.slice for each in written}
    for each in test.series:
        if each.slice not in slices:
            _refuse(each.place, f"no series of this test has windows of {each.slice!r}")
        if lacking := grids.lacking(each.entry.detector):
            _refuse(each.place, f"no series of this test writes the table {lacking[0]!r}")


def _summaries(
    grids: Grids,
    layout: Layout,
    written: Mapping[tuple[str, str], MadeSeries],
    *,
    fed: bool,
) -> dict[str, list[WindowSummary]]:
    """Return the windows of each slice; a window without outputs has a summary of none."""
    summaries: dict[str, list[WindowSummary]] = {}
    for slice_ in sorted({slice_ for _, slice_ in written}):
        ours = [each for each in written.values() if each.slice == slice_]
        stretches = [(each.windows if fed else each.baseline) or () for each in ours]
        for each, stretch in zip(ours[1:], stretches[1:], strict=True):
            _check_alike(each, stretch, ours[0], stretches[0])
        names = [each.entry.series for each in ours]
        summaries[slice_] = [
            grids.count(layout, dict(zip(names, made, strict=True)))
            for made in zip(*stretches, strict=True)
        ]
    return summaries


def _check_alike(series: MadeSeries, stretch: Stretch, other: MadeSeries, theirs: Stretch) -> None:
    """Refuse series of one slice whose windows cannot be the same windows."""
    name = other.entry.series
    if len(stretch) != len(theirs):
        message = f"must have as many windows as {name}, {len(theirs)}, got {len(stretch)}"
        _refuse(series.place, message)
    for number, (made, others) in enumerate(zip(stretch, theirs, strict=True), start=1):
        ours, wanted = (sum(each.number for each in outputs) for outputs in (made, others))
        if ours != wanted:
            message = (
                f"must have as many outputs in window {number} as {name}, {wanted}, got {ours}; "
                "'+ 5 missing' adds outputs without a value"
            )
            _refuse(series.place, message)


def _check_sizes(
    test: PolicyTest, configuration: Configuration, before: Mapping[str, list[WindowSummary]]
) -> None:
    """Refuse a slice that the monitor would compare with all traffic, which is not there."""
    least = configuration.baseline.min_slice_rows
    for each in test.series:
        n_rows = sum(summary.n_rows for summary in before[each.slice])
        if each.slice != ALL_TRAFFIC and n_rows < least and ALL_TRAFFIC not in before:
            message = (
                f"the baseline of {each.slice!r} must have {least} outputs "
                f"(baseline.min_slice_rows), got {n_rows}; with fewer the slice is compared with "
                "all traffic, which this test does not have"
            )
            _refuse(each.place, message)


def _begin(configuration: Configuration, length_us: int) -> int:
    """Return where the first window begins: a Monday, or as near as the windows allow."""
    windows = configuration.windows
    if isinstance(windows, TumblingWindows):
        return int(windows.starts(np.array([_START_US + length_us - 1]))[0])
    return _START_US


def _windows(
    summaries: Mapping[str, list[WindowSummary]],
    start_us: int,
    length_us: int,
    configuration: Configuration,
) -> list[tuple[Window, ...]]:
    """Return the windows by time; one of all traffic may be empty, one of a slice is not there."""
    by_time = isinstance(configuration.windows, TumblingWindows)
    found: list[tuple[Window, ...]] = []
    for at in range(max(map(len, summaries.values()))):
        begin = start_us + at * length_us
        found.append(
            tuple(
                Window(
                    WindowKey(begin, begin + length_us, slice_, 0 if by_time else at), of_slice[at]
                )
                for slice_, of_slice in sorted(summaries.items())
                if at < len(of_slice) and (slice_ == ALL_TRAFFIC or of_slice[at].n_rows)
            )
        )
    return found


def _baseline(
    schema: Schema,
    layout: Layout,
    before: Mapping[str, list[WindowSummary]],
    history: Sequence[tuple[Window, ...]],
    configuration: Configuration,
) -> Baseline:
    nothing = WindowSummary.zero(layout)
    references = {slice_: sum(windows, start=nothing) for slice_, windows in before.items()}
    windows = sorted((each for some in history for each in some), key=lambda each: each.key)
    return Baseline(
        schema=schema,
        layout=layout,
        references={ALL_TRAFFIC: nothing, **references},
        history=tuple(windows),
        provenance=Provenance(
            source="made up for a policy test",
            from_us=None,
            to_us=None,
            first_us=windows[0].key.start_us if windows else None,
            last_us=windows[-1].key.end_us - 1 if windows else None,
            n_rows=sum(summary.n_rows for summary in references.values()),
            n_rejected=0,
            windows=describe_windows(configuration.windows),
            n_windows=len(history),
            created_at_us=_START_US,
            outputwatch_version=__version__,
        ),
    )


def _refuse(place: Place, message: str) -> None:
    raise ConfigurationError([Problem(place, message)])
