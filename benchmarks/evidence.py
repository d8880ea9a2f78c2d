"""What evidence costs: microseconds of CPU per series and window, by kind and number of series.

    python -m benchmarks.evidence

Questions are made beforehand; what is measured is `Panel.advance` on quiet windows of 1,000
outputs, and once more while every series fires. The best of five runs counts, so a busy
machine changes little.
"""

import time

import numpy as np

from benchmarks.simulation.families import FAMILIES, Family
from benchmarks.simulation.tables import number, table
from benchmarks.simulation.trials import staged
from benchmarks.simulation.watching import Watch
from benchmarks.simulation.worlds import World
from detectors.evidence.questions import Question

SERIES = (20, 200, 2_000)
WINDOWS = 10
RUNS = 5


def microseconds(watch: Watch, windows: list[tuple[list[Question], int]]) -> float:
    """Return the CPU time of a series and window."""
    best = float("inf")
    for _ in range(RUNS):
        ours = watch.fresh()
        began = time.process_time()
        for questions, start in windows:
            ours.advance(questions, start)
        best = min(best, time.process_time() - began)
    return best * 1e6 / len(windows) / len(windows[0][0])


def costs(family: Family, n_series: int) -> tuple[float, float]:
    """Return the cost on quiet windows and that of series which fire."""
    stage = staged(family, World.INDEPENDENT, n_series, 2 * WINDOWS, seed=1)
    watch = stage.watch()
    rng = np.random.default_rng(2)
    quiet = family.draw(stage.given.part(0, WINDOWS), np.zeros(WINDOWS), rng)
    changed = np.full(WINDOWS, family.changes["large"])
    drifted = family.draw(stage.given.part(WINDOWS, 2 * WINDOWS), changed, rng)
    calm = list(stage.questions(quiet, stage.given.part(0, WINDOWS)))
    loud = list(stage.questions(drifted, stage.given.part(WINDOWS, 2 * WINDOWS)))
    firing = watch.fresh()
    for questions, start in loud:
        firing.advance(questions, start)
    return microseconds(watch, calm), microseconds(firing, loud)


def main() -> None:
    """Print the table."""
    rows = []
    for family in FAMILIES:
        cells = [costs(family, n_series) for n_series in SERIES]
        rows.append([family.name, *[f"{number(a)} / {number(b)}" for a, b in cells]])
    print(table(["quiet / firing", *[f"{n} series" for n in SERIES]], rows))


if __name__ == "__main__":
    main()
