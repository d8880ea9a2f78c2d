"""From Kafka's bytes to counted windows: events per CPU second, step by step, in one run.

    python -m benchmarks.stream [--events 100000] [--repeat 4] [--rounds 3] [--codec lz4]

Every contender runs in a process of its own; the figure is the CPU time of that process, all its
threads, without imports and connecting. The contenders take turns and the best of the rounds
counts, so a machine that is busy for a while slows all of them. What is read and counted is
described in `benchmarks.stream_chain`.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.stream_chain import BATCH, CLIENTS, TOPIC, Chain, events, follow, serve


def batches(count: int) -> list[list[bytes]]:
    """Return the events as a client hands them on, a few thousand at a time."""
    every = list(events(count))
    return [every[start : start + BATCH] for start in range(0, count, BATCH)]


def _timed(take: Callable[[Sequence[bytes]], Any], given: Sequence[Sequence[bytes]]) -> float:
    begin = time.process_time()
    for payloads in given:
        take(payloads)
    return (time.process_time() - begin) / sum(map(len, given))


def json_loads(count: int, _repeat: int, _bootstrap: str) -> float:
    """Parse to dictionaries with the standard library: no columns yet."""
    return _timed(lambda payloads: [json.loads(one) for one in payloads], batches(count))


def orjson_loads(count: int, _repeat: int, _bootstrap: str) -> float:
    """Parse to dictionaries with orjson: no columns yet."""
    import orjson

    return _timed(lambda payloads: [orjson.loads(one) for one in payloads], batches(count))


def lines(count: int, _repeat: int, _bootstrap: str) -> float:
    """Decode with the reader of JSON Lines, which files are read with."""
    from monitor.decoding.base import Origin
    from monitor.decoding.json_block import decode_json_payloads

    plan = Chain().plan
    return _timed(lambda payloads: decode_json_payloads(payloads, plan, Origin()), batches(count))


def decode(count: int, _repeat: int, _bootstrap: str) -> float:
    """Decode to columns."""
    return _timed(Chain().decode, batches(count))


def decode_and_count(count: int, _repeat: int, _bootstrap: str) -> float:
    """Decode and count, without a client."""
    from monitor.sources.live import Batch

    chain, first = Chain(), 0
    given = []
    for payloads in batches(count):
        end = first + len(payloads)
        given.append(Batch(partition=f"{TOPIC}/0", payloads=payloads, first=first, next=end))
        first = end
    begin = time.process_time()
    for batch in given:
        chain.count(batch)
    seconds = (time.process_time() - begin) / count
    _check(chain, count)
    return seconds


def _check(chain: Chain, count: int) -> None:
    if chain.counted() != count:
        message = f"every event must be counted once, got {chain.counted()} for {count}"
        raise ValueError(message)


@dataclass(frozen=True)
class ClientOnly:
    """Receive the payloads and drop them."""

    client: str

    def __call__(self, count: int, repeat: int, bootstrap: str) -> float:
        """Return the CPU seconds for an event."""
        return follow(bootstrap, CLIENTS[self.client], count * repeat, lambda _: None)


@dataclass(frozen=True)
class WholeChain:
    """From the broker to counted windows."""

    client: str

    def __call__(self, count: int, repeat: int, bootstrap: str) -> float:
        """Return the CPU seconds for an event."""
        chain = Chain()
        seconds = follow(bootstrap, CLIENTS[self.client], count * repeat, chain.count)
        _check(chain, count * repeat)
        return seconds


CONTENDERS: dict[str, Callable[[int, int, str], float]] = {
    "json.loads": json_loads,
    "orjson.loads": orjson_loads,
    "decode as JSON Lines": lines,
    "decode": decode,
    "decode + count": decode_and_count,
    **{f"client: {name}": ClientOnly(name) for name in CLIENTS},
    **{f"chain: {name}": WholeChain(name) for name in CLIENTS},
}


def _contend(connection: Connection, name: str, count: int, repeat: int, bootstrap: str) -> None:
    connection.send(CONTENDERS[name](count, repeat, bootstrap))


def measure(count: int, repeat: int, rounds: int, codec: str | None) -> dict[str, float]:
    """Return the microseconds of CPU an event for each contender, the best of the rounds."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    broker = context.Process(target=serve, args=(theirs, count, codec, count * repeat))
    broker.start()
    theirs.close()
    try:
        bootstrap = ours.recv()
        best: dict[str, float] = {}
        for _ in range(rounds):
            for name in CONTENDERS:
                here, there = context.Pipe()
                given = (there, name, count, repeat, bootstrap)
                process = context.Process(target=_contend, args=given)
                process.start()
                there.close()
                microseconds = here.recv() * 1e6
                process.join()
                best[name] = min(best.get(name, microseconds), microseconds)
        return best
    finally:
        ours.send("enough")
        broker.join()


def show(best: Mapping[str, float]) -> None:
    """Print the figures, their ratios, and where the time of each chain goes."""
    print(f"{'':28} {'us an event':>12} {'events per CPU second':>22} {'ratio':>7}")
    yardstick = best["decode + count"]
    for name, microseconds in best.items():
        rate, ratio = 1e6 / microseconds, microseconds / yardstick
        print(f"{name:28} {microseconds:12.2f} {rate:22,.0f} {ratio:7.2f}")
    print("\nwhere the time goes, us an event (rest: what the steps cost or save each other)")
    print(f"{'':28} {'client':>8} {'decode':>8} {'count':>8} {'rest':>8} {'sum':>8}")
    for name in CLIENTS:
        client, whole = best[f"client: {name}"], best[f"chain: {name}"]
        counting = yardstick - best["decode"]
        parts = (client, best["decode"], counting, whole - client - yardstick, whole)
        print(f"{name:28} " + " ".join(f"{part:8.2f}" for part in parts))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=4, help="how often a client gets them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--codec", choices=["none", "gzip", "snappy", "lz4", "zstd"], default="lz4"
    )
    arguments = parser.parse_args()
    codec = None if arguments.codec == "none" else arguments.codec
    size = sum(map(len, events(1_000))) / 1_000
    print(f"{arguments.events:,} events of {size:.0f} bytes, codec {arguments.codec}\n")
    show(measure(arguments.events, arguments.repeat, arguments.rounds, codec))


if __name__ == "__main__":
    main()
