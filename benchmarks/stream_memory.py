"""The memory of a worker's chain while many events go through it, as a picture in text.

    python -m benchmarks.stream_memory [--events 50000000] [--client 'kafka-python, blocks']

The resident set is looked at every 100,000 events, and the picture shows the highest of each
stretch. It is flat if the second half of the run is not above the first by more than a few MB.
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.stream_chain import CLIENTS, Chain, follow, serve

if TYPE_CHECKING:
    from monitor.sources.live import Batch

DIFFERENT_EVENTS = 100_000
LOOK_EVENTS = 100_000
STRETCHES = 50
WIDTH = 60
_PAGE = resource.getpagesize()


@dataclass
class Watched:
    """A chain whose memory is looked at as it counts."""

    chain: Chain = field(default_factory=Chain)
    n_events: int = 0
    megabytes: list[float] = field(default_factory=list)

    def count(self, batch: "Batch") -> None:
        """Count a batch, and look."""
        self.chain.count(batch)
        self.n_events += len(batch.payloads)
        if self.n_events >= LOOK_EVENTS * (len(self.megabytes) + 1):
            self.megabytes.append(resident_megabytes())


def resident_megabytes() -> float:
    """Return the resident set of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * _PAGE / 1e6


def picture(megabytes: Sequence[float], n_events: int) -> str:
    """Return a line for each stretch of the run, with its highest resident set."""
    top = max(megabytes)
    n_lines = min(STRETCHES, len(megabytes))
    lines = []
    for number in range(n_lines):
        start, end = (len(megabytes) * each // n_lines for each in (number, number + 1))
        highest = max(megabytes[start:end])
        done = n_events * (number + 1) // n_lines
        lines.append(f"{done:>12,} {highest:8.1f} MB |{'#' * round(highest / top * WIDTH)}")
    return "\n".join(lines)


def summary(megabytes: Sequence[float]) -> str:
    """Return the highest resident set of both halves of the run, without its first tenth."""
    settled = megabytes[len(megabytes) // 10 :]
    half = len(settled) // 2
    first, second = max(settled[:half]), max(settled[half:])
    return (
        f"highest of the first half {first:.1f} MB, of the second half {second:.1f} MB: "
        f"{second - first:+.1f} MB"
    )


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--client", choices=list(CLIENTS), default="kafka-python, blocks")
    arguments = parser.parse_args()
    n_events = arguments.events
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    broker = context.Process(target=serve, args=(theirs, DIFFERENT_EVENTS, "lz4", n_events))
    broker.start()
    theirs.close()
    try:
        bootstrap = ours.recv()
        watched = Watched()
        began = time.monotonic()
        seconds = follow(bootstrap, CLIENTS[arguments.client], n_events, watched.count)
        minutes = (time.monotonic() - began) / 60
    finally:
        ours.send("enough")
        broker.join()
    if watched.chain.counted() != watched.n_events:
        message = f"every event must be counted once, got {watched.chain.counted()}"
        raise ValueError(message)
    print(f"{watched.n_events:,} events with {arguments.client}")
    print(f"{minutes:.1f} minutes, {1 / seconds:,.0f} events per CPU second")
    print(summary(watched.megabytes))
    print(picture(watched.megabytes, watched.n_events))


if __name__ == "__main__":
    main()
