"""The memory of a worker's chain while many events go through it, as a picture in text.

    python -m benchmarks.stream_memory [--events 50000000] [--client 'kafka-python, blocks']

The resident set is looked at every 100,000 events; a line is printed for the highest of each
million, as soon as it is known. It is flat if the second half of the run is not above the first
by more than a few MB.
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
LOOKS_IN_A_LINE = 10
MEGABYTES_OF_A_MARK = 4
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
            if len(self.megabytes) % LOOKS_IN_A_LINE == 0:
                print(line(self.n_events, self.megabytes[-LOOKS_IN_A_LINE:]), flush=True)


def line(n_events: int, megabytes: Sequence[float]) -> str:
    """Return the highest resident set up to a number of events, and a bar as long as it."""
    highest = max(megabytes)
    return f"{n_events:>12,} {highest:8.1f} MB |{'#' * round(highest / MEGABYTES_OF_A_MARK)}"


def resident_megabytes() -> float:
    """Return the resident set of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * _PAGE / 1e6


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


if __name__ == "__main__":
    main()
