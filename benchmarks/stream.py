"""From Kafka's bytes to counted windows: events per CPU second, step by step, in one run.

    python -m benchmarks.stream [--events 100000] [--rounds 3] [--codec lz4]

A small broker of our own runs in a process of its own, and so does every contender; the figure
is the CPU time of the contender's process, all its threads, without imports and connecting. The
best of the rounds counts, which take turns, so a machine that is busy for a while slows all of
them. An event is a JSON object of about 590 bytes: a time, an id, 15 numbers, 7 categories,
3 groups and a prediction; the layout has 256 bins a number, and each group crossed with the
prediction. Windows are an hour long, and every event is counted in `all` and in its region, by
the intake of `outputwatch run`, which makes what a checkpoint writes every 50,000 events. What is
not in a chain is the database, which costs the same however many events there are.
"""

import argparse
import json
import multiprocessing
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baselines.columns import Columns
    from monitor.engine.daemon.holding import Holding
    from monitor.sources.live import Batch

TOPIC = "outputs"
BATCH = 5_000
CHECKPOINT_EVENTS = 50_000
_NOW_US = 1_800_000_000_000_000
SEED = 20_261_124
START_SECONDS = 1_767_323_045
NUMBERS = [f"metric_{position}" for position in range(15)]
CATEGORIES = {f"category_{position}": 3 + 5 * position for position in range(7)}
GROUPS = {"sex": ("f", "m"), "region": ("eu", "us", "apac"), "age": ("18-30", "31-50", "51+")}
CLIENTS: Mapping[str, Mapping[str, str]] = {
    "kafka-python, stock": {"client": "kafka-python", "fast_decode": "off"},
    "kafka-python, blocks": {"client": "kafka-python", "fast_decode": "auto"},
    "confluent-kafka": {"client": "confluent-kafka"},
}


def events(count: int) -> Iterable[bytes]:
    """Yield events, the same in every process."""
    generator = random.Random(SEED)
    for number in range(count):
        seconds = START_SECONDS + number // 50
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        event: dict[str, Any] = {
            "event_id": f"evt-{number:012d}",
            "ts": f"{moment}.{generator.randrange(1_000_000):06d}Z",
        }
        for name in NUMBERS:
            event[name] = round(generator.lognormvariate(0, 1), 6)
        for name, levels in CATEGORIES.items():
            event[name] = f"value_{int(generator.random() ** 2 * levels)}"
        for name, values in GROUPS.items():
            event[name] = generator.choice(values)
        event["approved"] = generator.random() < 0.4
        yield json.dumps(event, separators=(",", ":")).encode()


def batches(count: int) -> list[list[bytes]]:
    """Return the events as a client hands them on, a few thousand at a time."""
    every = list(events(count))
    return [every[start : start + BATCH] for start in range(0, count, BATCH)]


class Chain:
    """Everything behind the client, as a worker does it: decode, divide over windows, count."""

    def __init__(self) -> None:
        from baselines.counting import Counter
        from baselines.fitting import fit_layout
        from baselines.layout import AxisNeed
        from baselines.schema import Column, Dtype, Role, Schema
        from monitor.decoding.base import Needs, Origin
        from monitor.decoding.message_batch import MessageDecoder
        from monitor.decoding.plan import plan_decoding
        from monitor.engine.daemon.intake import Intake, origin_of
        from monitor.engine.partition import Partition
        from monitor.windows.spec import TumblingWindows

        schema = Schema(
            columns=(
                Column(name="ts", role=Role.TIMESTAMP),
                *(Column(name=name, role=Role.NUMERIC) for name in NUMBERS),
                *(Column(name=name, role=Role.CATEGORY) for name in CATEGORIES),
                *(Column(name=name, role=Role.GROUP) for name in GROUPS),
                Column(name="approved", role=Role.PREDICTION, dtype=Dtype.BOOLEAN),
            )
        )
        self._origin = Origin(path=TOPIC)
        self.plan = plan_decoding(schema, Needs())
        self._decoder = MessageDecoder(self.plan)
        needs: list[tuple[AxisNeed, ...]] = [
            (AxisNeed(name),) for name in (*NUMBERS, *CATEGORIES, "approved")
        ]
        needs += [(AxisNeed(name), AxisNeed("approved")) for name in GROUPS]
        sample = self.decode(list(events(20_000)))
        layout = fit_layout(sample, schema, needs)
        windows = TumblingWindows(seconds=3_600)
        self._intake = Intake(
            decode=lambda batch: self._decoder.decode(batch.payloads, origin_of(batch)),
            partition=Partition(windows=windows, by=(("region",),)),
            counter=Counter(layout),
            windows=windows,
            max_future_us=300_000_000,
            deduplicate=False,
        )
        self._holding = _new_holding(layout.n_cells)

    def decode(self, payloads: Sequence[bytes]) -> "Columns":
        """Return the rows; none may be refused."""
        decoded = self._decoder.decode(payloads, self._origin)
        if decoded.n_rejected:
            message = f"every event must be a row, got {decoded.rejected!r}"
            raise ValueError(message)
        return decoded.columns

    def count(self, batch: "Batch") -> None:
        """Add the events to their windows, and make a checkpoint when it is due."""
        self._intake.take(batch, self._holding, _NOW_US)
        if self._holding.fresh.tally.n_records >= CHECKPOINT_EVENTS:
            self._holding.settle(self._holding.settlement(None))

    def counted(self) -> int:
        """Return how many events are in the windows of all traffic."""
        from baselines.packing import decode_counts

        self._holding.settle(self._holding.settlement(None))
        n_rows = sum(
            int(decode_counts(body, self._holding.n_cells)[0])
            for (label, _), body in self._holding.packed.items()
            if label == "all"
        )
        tally = self._holding.tally
        if tally.n_rows != n_rows or tally.unaccounted:
            message = f"windows must hold every row, got {n_rows} of {tally.to_json()}"
            raise ValueError(message)
        return n_rows


def _new_holding(n_cells: int) -> "Holding":
    from monitor.engine.daemon.holding import Holding
    from monitor.engine.daemon.tally import StreamTally

    return Holding(
        name=f"{TOPIC}/0",
        n_cells=n_cells,
        epoch=1,
        committed=None,
        position=None,
        newest_us=None,
        moved_us=0,
        tally=StreamTally(),
    )


class _FromTheBeginning:
    """Claims without a database."""

    def claim(self, partitions: Mapping[str, str]) -> Mapping[str, Any]:
        """Take over partitions of which nothing was ever counted."""
        from monitor.sources.live import Claimed

        return {name: Claimed() for name in partitions}

    def expect(self, partitions: Mapping[str, str]) -> None:
        """Take note of all partitions there are."""

    def release(self, partitions: Sequence[str]) -> None:
        """Give partitions back."""


def follow(
    bootstrap: str, options: Mapping[str, str], count: int, take: Callable[["Batch"], Any]
) -> float:
    """Read `count` events from the broker into `take`; return the CPU seconds."""
    from monitor.engine.daemon.collecting import collect_less_often
    from monitor.sources.kafka import Kafka

    collect_less_often()
    source = Kafka(
        bootstrap_servers=(bootstrap,),
        partitions=(f"{TOPIC}/0",),
        **options,  # type: ignore[arg-type]
    )
    stream = source.open(_FromTheBeginning(), worker="benchmark")
    try:
        seen = 0
        begin = time.process_time()
        give_up = time.monotonic() + 120
        while seen < count:
            for batch in stream.poll(1.0, BATCH):
                take(batch)
                seen += len(batch.payloads)
            if time.monotonic() > give_up:
                message = f"{count} events must arrive within two minutes, got {seen}"
                raise TimeoutError(message)
        return time.process_time() - begin
    finally:
        stream.close()


def _timed(take: Callable[[Sequence[bytes]], Any], given: Sequence[Sequence[bytes]]) -> float:
    begin = time.process_time()
    for payloads in given:
        take(payloads)
    return time.process_time() - begin


def json_loads(count: int, _: str) -> float:
    """Parse to dictionaries with the standard library: no columns yet."""
    return _timed(lambda payloads: [json.loads(one) for one in payloads], batches(count))


def orjson_loads(count: int, _: str) -> float:
    """Parse to dictionaries with orjson: no columns yet."""
    import orjson

    return _timed(lambda payloads: [orjson.loads(one) for one in payloads], batches(count))


def lines(count: int, _: str) -> float:
    """Decode with the reader of JSON Lines, which files are read with."""
    from monitor.decoding.base import Origin
    from monitor.decoding.json_block import decode_json_payloads

    plan = Chain().plan
    return _timed(lambda payloads: decode_json_payloads(payloads, plan, Origin()), batches(count))


def decode(count: int, _: str) -> float:
    """Decode to columns."""
    return _timed(Chain().decode, batches(count))


def decode_and_count(count: int, _: str) -> float:
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
    seconds = time.process_time() - begin
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

    def __call__(self, count: int, bootstrap: str) -> float:
        """Return the CPU seconds for `count` events."""
        return follow(bootstrap, CLIENTS[self.client], count, lambda _: None)


@dataclass(frozen=True)
class WholeChain:
    """From the broker to counted windows."""

    client: str

    def __call__(self, count: int, bootstrap: str) -> float:
        """Return the CPU seconds for `count` events."""
        chain = Chain()
        seconds = follow(bootstrap, CLIENTS[self.client], count, chain.count)
        _check(chain, count)
        return seconds


CONTENDERS: dict[str, Callable[[int, str], float]] = {
    "json.loads": json_loads,
    "orjson.loads": orjson_loads,
    "decode as JSON Lines": lines,
    "decode": decode,
    "decode + count": decode_and_count,
    **{f"client: {name}": ClientOnly(name) for name in CLIENTS},
    **{f"chain: {name}": WholeChain(name) for name in CLIENTS},
}


def _broker(connection: Connection, count: int, codec: str | None) -> None:
    """Be the broker with all events, until the other end says so."""
    from tests.brokers.small.broker import SmallBroker
    from tests.brokers.topics import create_topic, produce

    with SmallBroker() as broker:
        create_topic(broker.bootstrap, TOPIC)
        produce(broker.bootstrap, TOPIC, events(count), compression=codec)
        connection.send(broker.bootstrap)
        connection.recv()


def _contend(connection: Connection, name: str, count: int, bootstrap: str) -> None:
    connection.send(CONTENDERS[name](count, bootstrap))


def measure(count: int, rounds: int, codec: str | None) -> dict[str, float]:
    """Return the microseconds of CPU an event for each contender, the best of the rounds."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    broker = context.Process(target=_broker, args=(theirs, count, codec))
    broker.start()
    theirs.close()
    try:
        bootstrap = ours.recv()
        best: dict[str, float] = {}
        for _ in range(rounds):
            for name in CONTENDERS:
                here, there = context.Pipe()
                process = context.Process(target=_contend, args=(there, name, count, bootstrap))
                process.start()
                there.close()
                microseconds = here.recv() / count * 1e6
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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--codec", choices=["none", "gzip", "snappy", "lz4", "zstd"], default="lz4"
    )
    arguments = parser.parse_args()
    codec = None if arguments.codec == "none" else arguments.codec
    size = sum(map(len, events(1_000))) / 1_000
    print(f"{arguments.events:,} events of {size:.0f} bytes, codec {arguments.codec}\n")
    show(measure(arguments.events, arguments.rounds, codec))


if __name__ == "__main__":
    main()
