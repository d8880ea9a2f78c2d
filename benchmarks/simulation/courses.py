"""Whole incidents: opened once, dated, sized, and closed once after recovery."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from benchmarks.simulation.families import FAMILIES, Family, Numbers, Rate
from benchmarks.simulation.rivals import Baseline, rules_of
from benchmarks.simulation.tables import number, table
from benchmarks.simulation.trials import staged
from benchmarks.simulation.watching import Stage, chunks, keys_of
from benchmarks.simulation.worlds import DAY, Array, World
from monitor.decision.evidence import Evidence, EvidenceEvent
from monitor.decision.surveillance import Surveillance

__all__ = ["Course", "course", "course_table"]

N_DRIFTED = 300
N_RECOVERED = 250


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What became of S series that drifted and recovered.

    Parameters
    ----------
    opened, closed
        Windows in which each series first opened from the change on, and first closed after
        recovery; from 1, infinite if never; of shape (S,).
    onset_error
        Distance of the onset that was told from the true one, in windows, of shape (S,).
    onset_covered
        Whether the true onset is in the range that was told.
    size, least
        The departure told when opening and its lower bound, in multiples of the tolerance.
    settled
        The departure told before recovery.
    true_size
        The true departure, in the same unit; NaN for kinds that tell no size.
    opens, closes
        How often each series opened and closed in all.
    flips
        How often the family's first rival changed its mind while drifted or recovered.
    """

    opened: Array
    closed: Array
    onset_error: Array
    onset_covered: npt.NDArray[np.bool_]
    size: Array
    least: Array
    settled: Array
    true_size: float
    opens: npt.NDArray[np.int64]
    closes: npt.NDArray[np.int64]
    flips: float


def true_departure(family: Family, change: float) -> float:
    """Return the departure of a change in multiples of the tolerance, NaN if none is told."""
    if isinstance(family, Numbers):
        return float(2 * special.ndtr(change / 2) - 1) / family.tolerance
    if isinstance(family, Rate):
        return change / (family.tolerance_ratio - 1)
    return float("nan")


def course(stage: Stage, monitor: Surveillance, change: float, *, seed: int = 20261124) -> Course:
    """Return what becomes of series that drift for 300 windows from 9:00 on, then recover."""
    family = stage.family
    rng = np.random.default_rng([seed, 4])
    begins = (9 * DAY // 24 - stage.given.first) % DAY
    ends = begins + N_DRIFTED
    readings: list[list[Evidence]] = []
    counts, keys = [], keys_of(stage.given.n_series)
    for part in chunks(stage.given, 0, ends + N_RECOVERED):
        at = part.first - stage.given.first + np.arange(part.n_windows)
        drawn = family.draw(part, change * ((at >= begins) & (at < ends)), rng)
        counts.append(drawn)
        for asked, start in stage.questions(drawn, part):
            found = monitor.advance(dict(zip(keys, asked, strict=True)), start)
            readings.append([found[key] for key in keys])
    rule = next(iter(rules_of(family).values()))
    flags = rule(Baseline(stage.baseline), np.concatenate(counts))[begins:]
    flips = float((flags[1:] != flags[:-1]).sum(axis=0).mean())
    return _course(readings, begins, ends, true_departure(family, change), flips)


def _course(
    readings: Sequence[Sequence[Evidence]], begins: int, ends: int, true_size: float, flips: float
) -> Course:
    alarm, returned = (
        np.array([[one.event is event for one in window] for window in readings])
        for event in (EvidenceEvent.ALARM, EvidenceEvent.RETURNED)
    )
    opened, closed = _first(alarm, begins), _first(returned, ends)
    rows = [(row, int(begins + at - 1)) for row, at in enumerate(opened) if np.isfinite(at)]
    at_open = [readings[window][row] for row, window in rows]
    ranges = np.array(
        [
            [
                window - ago
                for ago in (one.change.windows_ago, one.change.earliest, one.change.latest)
            ]
            for (_, window), one in zip(rows, at_open, strict=True)
            if one.change is not None
        ]
    ).reshape(-1, 3)
    onsets, first, last = ranges.T
    sized = [one.departure for one in at_open if one.departure is not None]
    before_end = [one.departure for one in readings[ends - 1] if one.departure is not None]
    return Course(
        opened=opened,
        closed=closed,
        onset_error=np.abs(onsets - begins).astype(np.float64),
        onset_covered=(first <= begins) & (begins <= last),
        size=np.array([one.value for one in sized]),
        least=np.array([one.low for one in sized]),
        settled=np.array([one.value for one in before_end]),
        true_size=true_size,
        opens=alarm.sum(axis=0),
        closes=returned.sum(axis=0),
        flips=flips,
    )


def _first(events: npt.NDArray[np.bool_], begins: int) -> Array:
    after = events[begins:]
    return np.where(after.any(axis=0), after.argmax(axis=0) + 1.0, np.inf)


CHANGES: tuple[tuple[int, tuple[float, ...]], ...] = (
    (0, (0.1, 0.2, 0.25, 0.5, 1.0)),
    (1, (0.2,)),
    (2, (0.5, 1.0, 3.0)),
    (3, (0.12, 0.25)),
    (4, (0.4, 0.6)),
)


def course_table(n_series: int = 24, seed: int = 20261124) -> str:
    """Return the table of incidents."""
    rows = []
    for position, changes in CHANGES:
        for world in (World.INDEPENDENT, World.SEASONAL):
            family = FAMILIES[position]
            stage = staged(family, world, n_series, DAY + N_DRIFTED + N_RECOVERED, seed)
            monitor = stage.monitor()
            rows += [
                [
                    f"{family.name}, {change:g}, {world.value}",
                    *_cells(course(stage, copy.deepcopy(monitor), change)),
                ]
                for change in changes
            ]
    head = (
        "series, change, world",
        "opened",
        "delay",
        "onset error",
        "onset in its range",
        "size told / later / true",
        "lower bound holds",
        "closing delay",
        "opened, closed per series",
        "flips of the first rival",
    )
    return table(head, rows)


def _cells(found: Course) -> list[str]:
    some = np.isfinite(found.opened)
    share = f"{100 * some.mean():.0f} %"
    once = f"{found.opens.mean():.2f}, {found.closes.mean():.2f}"
    if not some.any():
        return [share, "-", "-", "-", "-", "-", "-", once, f"{found.flips:.0f}"]
    sizes, holds = "-", "-"
    if len(found.size) and np.isfinite(found.true_size):
        three = (np.median(found.size), np.median(found.settled), found.true_size)
        sizes = " / ".join(f"{one:.1f}" for one in three)
        holds = f"{100 * (found.least <= found.true_size).mean():.0f} %"
    return [
        share,
        number(float(np.median(found.opened[some]))),
        number(float(np.median(found.onset_error))),
        f"{100 * found.onset_covered.mean():.0f} %",
        sizes,
        holds,
        number(float(np.median(found.closed[some]))),
        once,
        f"{found.flips:.0f}",
    ]
