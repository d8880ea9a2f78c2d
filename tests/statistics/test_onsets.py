"""The range of an onset holds the true one as often as it should, for small changes too."""

import numpy as np
import pytest

from benchmarks.simulation.families import FAMILIES
from benchmarks.simulation.trials import staged
from benchmarks.simulation.watching import keys_of
from benchmarks.simulation.worlds import World
from monitor.decision.evidence import DatedChange

BEGINS, N_AFTER, N_SERIES = 60, 120, 40
NAMES = [family.name for family in FAMILIES]


def alarms(name: str, change: float, world: World) -> list[tuple[int, DatedChange]]:
    """Return the windows from the change to the first alarm of each series, with its date."""
    family = FAMILIES[NAMES.index(name)]
    stage = staged(family, world, N_SERIES, BEGINS + N_AFTER, seed=3)
    monitor, keys = stage.monitor(), keys_of(N_SERIES)
    changes = np.where(np.arange(BEGINS + N_AFTER) >= BEGINS, change, 0.0)
    counts = family.draw(stage.given, changes, np.random.default_rng(8))
    found: dict[int, tuple[int, DatedChange]] = {}
    for window, (asked, start) in enumerate(stage.questions(counts, stage.given)):
        readings = monitor.advance(dict(zip(keys, asked, strict=True)), start)
        for row, key in enumerate(keys):
            dated = readings[key].change
            if dated is not None and window >= BEGINS:
                found.setdefault(row, (window - BEGINS, dated))
        if len(found) == N_SERIES:
            break
    return list(found.values())


@pytest.mark.parametrize(
    ("name", "change", "world"),
    [
        ("numeric mix", 0.2, World.INDEPENDENT),
        ("numeric mix", 0.25, World.UNEVEN),
        ("numeric mix", 0.5, World.INDEPENDENT),
        ("categorical mix", 0.1, World.INDEPENDENT),
        ("rate", 0.5, World.INDEPENDENT),
        ("rate", 1.0, World.UNEVEN),
        ("gap, 2 groups", 0.08, World.INDEPENDENT),
        ("gap, 2 groups", 0.12, World.UNEVEN),
        ("gap, 5 groups", 0.3, World.INDEPENDENT),
    ],
)
def test_the_range_of_an_onset_holds_the_true_one(name: str, change: float, world: World) -> None:
    found = alarms(name, change, world)

    held = [
        dated.latest <= truth and (truth <= dated.earliest or dated.may_be_older)
        for truth, dated in found
    ]
    assert len(found) >= N_SERIES // 2
    assert np.mean(held) >= 0.9
    assert np.median([dated.earliest - dated.latest for _, dated in found]) <= 8
    assert np.median([abs(dated.windows_ago - truth) for truth, dated in found]) <= 1
