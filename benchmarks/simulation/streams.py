"""Long quiet streams and delays: what is run, in which sizes, and its tables."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.simulation.families import FAMILIES
from benchmarks.simulation.tables import number, table
from benchmarks.simulation.trials import OURS, Delays, Quiet, delays, quiet, staged
from benchmarks.simulation.watching import Stage, Watch
from benchmarks.simulation.worlds import DAY, World

__all__ = ["Size", "StreamResult", "delay_table", "jobs", "quiet_table", "stream_result"]

MIDNIGHT = "midnight"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run."""

    n_series: int
    n_windows: int
    n_after: int
    seed: int = 20261124


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What one family did in one world.

    Parameters
    ----------
    quiet
        Without change.
    delays
        By level of change, and by "midnight medium" and so on where traffic is uneven.
    """

    family: str
    world: World
    quiet: Quiet
    delays: Mapping[str, Delays]
    widened: float
    correlation: float


def jobs(size: Size) -> list[tuple[int, World, Size]]:
    """Return the parts of the trial, each of which can run by itself; slow ones first."""
    return [(family, world, size) for world in reversed(World) for family in range(len(FAMILIES))]


def stream_result(job: tuple[int, World, Size]) -> StreamResult:
    """Run one part: a family in a world."""
    number_, world, size = job
    family = FAMILIES[number_]
    seed = size.seed + 100 * number_ + list(World).index(world)
    stage = staged(family, world, size.n_series, size.n_windows, seed)
    watch = stage.watch()
    found = quiet(stage, watch, seed)
    calibrations = watch.calibrations
    return StreamResult(
        family=family.name,
        world=world,
        quiet=found,
        delays=dict(_delays(stage, watch, size, seed, found.thresholds)),
        widened=max(one.widened for one in calibrations),
        correlation=sum(one.correlation for one in calibrations) / len(calibrations),
    )


def _delays(
    stage: Stage, watch: Watch, size: Size, seed: int, thresholds: Mapping[str, float]
) -> Iterator[tuple[str, Delays]]:
    """Yield the delays of every size of change, by day and where it differs at midnight."""
    morning, night = (_next(hour, stage.given.first) for hour in (9, 0))
    for level, change in stage.family.changes.items():
        yield level, delays(stage, watch, change, morning, size.n_after, seed, thresholds)
        if stage.world is not World.INDEPENDENT and level in ("medium", "large"):
            late = delays(stage, watch, change, night, size.n_after, seed, thresholds)
            yield f"{level}, {MIDNIGHT}", {OURS: late[OURS]}


def _next(hour: int, first: int) -> int:
    """Return in how many windows from `first` it is that hour, six hours at least."""
    windows = (hour * DAY // 24 - first) % DAY
    return windows if windows >= DAY // 4 else windows + DAY


def quiet_table(results: Sequence[StreamResult]) -> str:
    """Return false alarms by family, rule and world."""
    rows = []
    for family in dict.fromkeys(one.family for one in results):
        mine = {one.world: one.quiet for one in results if one.family == family}
        for rule in dict.fromkeys(rule for one in mine.values() for rule in one.onsets):
            cells = [_alarms(mine[world], rule) for world in World if world in mine]
            rows.append([_bold(f"{family}: {rule}", rule), *[_bold(c, rule) for c in cells]])
    return table(["series: rule", *[world.value for world in World]], rows)


def _alarms(found: Quiet, rule: str) -> str:
    """Return alarms; per series and 1,000 windows; windows with one; windows flagged."""
    shares = [found.busy[rule] / found.n_windows]
    if rule in found.flagged:
        shares.append(found.flagged[rule] / found.n_windows / found.n_series)
    inside = "; ".join(
        [number(found.per_thousand(rule)), *[f"{number(100 * share)} %" for share in shares]]
    )
    return f"{found.onsets[rule]:,} ({inside})"


def delay_table(results: Sequence[StreamResult]) -> str:
    """Return delays by family, rule, world and size of the change."""
    rows = []
    for family in dict.fromkeys(one.family for one in results):
        mine = {one.world: one.delays for one in results if one.family == family}
        rules = dict.fromkeys(
            rule for found in mine.values() for level in found.values() for rule in level
        )
        for rule in rules:
            cells = [_cell(mine[world], rule, "") for world in World if world in mine]
            rows.append([_bold(f"{family}: {rule}", rule), *cells])
        cells = [
            "",
            *[_cell(mine[w], OURS, f", {MIDNIGHT}") for w in list(World)[1:] if w in mine],
        ]
        rows.append([f"{family}: {OURS}, change at midnight", *cells])
    return table(["series: rule", *[world.value for world in World]], rows)


def _cell(found: Mapping[str, Delays], rule: str, when: str) -> str:
    levels = [level for level in found if level.endswith(when) and (", " in level) == bool(when)]
    pairs = [found[level][rule] for level in levels if rule in found[level]]
    return " ".join(_delay(*pair) for pair in pairs) or "-"


def _delay(median: float, late: float) -> str:
    if math.isinf(median):
        return "no"
    return f"{number(median)}/{'-' if math.isinf(late) else number(late)}"


def _bold(text: str, rule: str) -> str:
    return f"**{text}**" if rule == OURS else text
