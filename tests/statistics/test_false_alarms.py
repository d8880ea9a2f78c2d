"""Streams without change: our alarms stay within the budget, the usual rules do not."""

import functools

import numpy as np
import pytest

from benchmarks.simulation.families import FAMILIES, Family
from benchmarks.simulation.rivals import Baseline, rules_of
from benchmarks.simulation.trials import OURS, Quiet, delays, quiet, staged
from benchmarks.simulation.watching import Stage, Watch, keys_of
from benchmarks.simulation.worlds import DAY, World
from monitor.decision.evidence import EvidenceEvent

SEED = 20261124
NAMES = [family.name for family in FAMILIES]
N_WINDOWS = DAY
SERIES = {World.INDEPENDENT: 20, World.UNEVEN: 20, World.SEASONAL: 4}


def family_of(name: str) -> Family:
    return FAMILIES[NAMES.index(name)]


@functools.cache
def watched(name: str, world: World) -> tuple[Stage, Watch]:
    stage = staged(family_of(name), world, SERIES[world], N_WINDOWS, SEED)
    return stage, stage.watch()


@functools.cache
def quiet_stream(name: str, world: World) -> Quiet:
    stage, watch = watched(name, world)
    return quiet(stage, watch, SEED)


STREAMS = [
    (name, world)
    for name in NAMES
    for world in World
    # Two weeks of baseline are replayed: one kind of each panel is enough here.
    if world is not World.SEASONAL or name in ("numeric mix", "rate", "gap, 2 groups")
]


@pytest.mark.parametrize(("name", "world"), STREAMS)
def test_nothing_is_called_while_nothing_changes(name: str, world: World) -> None:
    found = quiet_stream(name, world)

    # The budget allows 0.03 incidents in these windows, so one would be bad luck or a fault.
    assert found.allowed < 0.1
    assert found.onsets[OURS] == 0


@pytest.mark.parametrize(
    ("name", "rule", "world", "least_per_thousand"),
    [
        ("numeric mix", "KS test, p < 0.05", World.INDEPENDENT, 20),
        ("numeric mix", "KS test, p < 0.05", World.SEASONAL, 80),
        ("numeric mix", "evidently default (normed Wasserstein >= 0.1)", World.UNEVEN, 20),
        ("numeric mix", "PSI > 0.2 (12 bins)", World.UNEVEN, 10),
        ("categorical mix", "evidently default (JS distance >= 0.1)", World.UNEVEN, 10),
        ("rate", "z test, p < 0.05", World.INDEPENDENT, 20),
        ("rate", "3-sigma p-chart", World.SEASONAL, 5),
        ("gap, 2 groups", "difference above 5 points", World.INDEPENDENT, 60),
        ("gap, 5 groups", "four-fifths rule, each window", World.INDEPENDENT, 60),
    ],
)
def test_the_usual_rules_alarm_again_and_again_on_the_same_windows(
    name: str, rule: str, world: World, least_per_thousand: float
) -> None:
    found = quiet_stream(name, world)

    assert found.per_thousand(rule) > least_per_thousand


@pytest.mark.parametrize("name", NAMES)
def test_benign_changes_are_not_called_and_large_ones_are_within_a_few_windows(name: str) -> None:
    stage, watch = watched(name, World.INDEPENDENT)
    begins, changes = DAY // 4, stage.family.changes

    benign = delays(stage, watch, changes["benign"], begins, 100, SEED, {})[OURS]
    large = delays(stage, watch, changes["large"], begins, 20, SEED, {})[OURS]

    assert np.isinf(benign[0])
    assert large[1] <= (7 if name == "gap, 5 groups" else 3)


@pytest.mark.parametrize(
    ("name", "world"), [one for one in STREAMS if one[0] in ("numeric mix", "categorical mix")]
)
def test_distributions_that_move_by_20_percent_are_called_within_three_windows(
    name: str, world: World
) -> None:
    stage, watch = watched(name, world)
    begins = (9 * DAY // 24 - stage.given.first) % DAY

    found = delays(stage, watch, stage.family.changes["medium"], begins, 20, SEED, {})[OURS]

    assert found[0] <= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_panels_of_the_simulation_do_what_the_monitor_does(name: str) -> None:
    stage = staged(family_of(name), World.INDEPENDENT, 5, 60, SEED)
    watch, monitor, keys = stage.watch(), stage.monitor(), keys_of(5)
    rng = np.random.default_rng(1)
    change = np.where(np.arange(60) >= 30, stage.family.changes["large"], 0.0)
    counts = stage.family.draw(stage.given, change, rng)

    alarms = [
        (
            watch.advance(asked, start),
            monitor.advance(dict(zip(keys, asked, strict=True)), start),
        )
        for asked, start in stage.questions(counts, stage.given)
    ]

    ours = np.array([one for one, _ in alarms])
    theirs = np.array(
        [[found[key].event is EvidenceEvent.ALARM for key in keys] for _, found in alarms]
    )
    assert ours.any()
    assert (ours == theirs).all()


def test_rules_see_only_their_own_window() -> None:
    stage = staged(FAMILIES[0], World.INDEPENDENT, 3, 20, SEED)
    counts = stage.family.draw(stage.given, np.zeros(20), np.random.default_rng(3))
    baseline = Baseline(stage.baseline)

    for rule in rules_of(stage.family).values():
        together = rule(baseline, counts)
        apart = np.concatenate([rule(baseline, counts[[row]]) for row in range(20)])

        assert (together == apart).all()
