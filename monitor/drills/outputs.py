"""Made-up outputs of a drill, minute by minute, in files that the monitor reads like any log."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from monitor.drills.scenario import Scenario
from monitor.printing import time_text

__all__ = ["MINUTE_US", "write_minutes"]

MINUTE_US = 60_000_000


def write_minutes(
    scenario: Scenario, folder: Path, *, from_us: int, to_us: int, switched_us: int | None
) -> int:
    """Write the outputs of whole minutes to one file and return how many minutes it holds.

    The same minutes give the same outputs, whenever they are written.

    Parameters
    ----------
    scenario
        What the outputs look like.
    folder
        Where the file goes.
    from_us, to_us
        The stretch of time; whole minutes since the epoch.
    switched_us
        Minutes that begin at or after it have the breach; None: none has.
    """
    minutes = range(from_us, to_us, MINUTE_US)
    if not minutes:
        return 0
    lines = [
        json.dumps(record, ensure_ascii=False)
        for start_us in minutes
        for record in _records(
            scenario, start_us, broken=switched_us is not None and start_us >= switched_us
        )
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{from_us // MINUTE_US}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return len(minutes)


def _records(scenario: Scenario, start_us: int, *, broken: bool) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng([start_us // MINUTE_US, len(scenario.name)])
    n_outputs = int(rng.poisson(scenario.outputs_a_minute))
    kinds = scenario.breach if broken else scenario.usual
    # Outputs of one minute move together a little, as real ones do.
    shares = np.array([kind.share for kind in kinds]) * np.exp(rng.normal(0.0, 0.04, len(kinds)))
    chosen = rng.choice(len(kinds), size=n_outputs, p=shares / shares.sum())
    within = np.sort(rng.integers(0, MINUTE_US, n_outputs))
    numbers = {
        name: np.exp(
            np.log(column.breach_median if broken else column.median)
            + column.spread * rng.normal(size=n_outputs)
        )
        for name, column in scenario.numbers.items()
    }
    for place in range(n_outputs):
        yield {
            "ts": time_text(start_us + int(within[place])),
            "id": f"{start_us // MINUTE_US}-{place}",
            **kinds[int(chosen[place])].values,
            **{name: round(float(values[place]), 1) for name, values in numbers.items()},
        }
