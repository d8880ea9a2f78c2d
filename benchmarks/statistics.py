"""False alarms and delays, measured: prints tables and writes them to docs/explanation.

    python -m benchmarks.statistics [--jobs 2] [--only few_windows boundary ...]

Started as a module (not as a file) because its name is also one of the standard library.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.simulation.boundary import boundary_table
from benchmarks.simulation.courses import course_table
from benchmarks.simulation.few_windows import few_windows_tables
from benchmarks.simulation.peers import peers_tables
from benchmarks.simulation.streams import (
    Size,
    delay_table,
    jobs,
    quiet_table,
    stream_result,
)
from benchmarks.simulation.tables import written

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "false-alarms.md"

FULL = Size(n_series=200, n_windows=10_000, n_after=200)


def streams(n_jobs: int) -> dict[str, str]:
    """Return the tables of quiet streams and of delays."""
    with multiprocessing.Pool(n_jobs, maxtasksperchild=1) as pool:
        results = []
        for result in pool.imap(stream_result, jobs(FULL)):
            print(f"done: {result.family}, {result.world.value}", file=sys.stderr, flush=True)
            results.append(result)
    return {"quiet": quiet_table(results), "delays": delay_table(results)}


def peers(_: int) -> dict[str, str]:
    """Return the tables of panels of twenty columns."""
    return peers_tables()


def boundary(_: int) -> dict[str, str]:
    """Return the table of alarms at the edge of the tolerance."""
    return {"boundary": boundary_table()}


def incidents(_: int) -> dict[str, str]:
    """Return the table of whole incidents."""
    return {"incidents": course_table()}


def few_windows(_: int) -> dict[str, str]:
    """Return the tables of baselines of few windows."""
    return few_windows_tables()


SECTIONS: dict[str, Callable[[int], dict[str, str]]] = {
    "streams": streams,
    "peers": peers,
    "boundary": boundary,
    "incidents": incidents,
    "few_windows": few_windows,
}


def main() -> None:
    """Run the sections that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", nargs="*", choices=sorted(SECTIONS), default=list(SECTIONS))
    arguments = parser.parse_args()
    for section in arguments.only:
        began = time.perf_counter()
        for name, content in SECTIONS[section](arguments.jobs).items():
            print(f"\n{name}\n\n{content}", flush=True)
            written(PAGE, name, content)
        print(f"\n{section}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
