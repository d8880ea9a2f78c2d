"""The way of an event from Kafka's bytes to counted windows, for benchmarks.

A small broker of our own, in a process of its own, serves a hundred thousand different events
again and again. An event is a JSON object of about 590 bytes: a time, an id, 15 numbers, 7
categories, 3 groups and a prediction; the layout has 256 bins a number, and each group crossed
with the prediction. Windows are an hour long, and every event is counted in `all` and in its
region, by the intake of `outputwatch run`, which makes what a checkpoint writes every 50,000
events. What is left out is the database, which costs the same however many events there are.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baselines.columns import Columns
    from monitor.engine.daemon.holding import Holding
    from monitor.sources.live import Batch

__all__ = ["BATCH", "CLIENTS", "TOPIC", "Chain", "events", "follow", "serve"]

TOPIC = "outputs"
BATCH = 5_000
CHECKPOINT_EVENTS = 50_000
_NOW_US = 1_800_000_000_000_000
PATIENCE_SECONDS = 60
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


def serve(connection: Connection, count: int, codec: str | None, end: int) -> None:
    """Be a broker that repeats `count` events until offset `end`, until the other end says so."""
    from tests.brokers.small.broker import SmallBroker
    from tests.brokers.topics import create_topic, produce

    with SmallBroker() as broker:
        create_topic(broker.bootstrap, TOPIC)
        produce(broker.bootstrap, TOPIC, events(count), compression=codec)
        broker.repeat(TOPIC, end)
        connection.send(broker.bootstrap)
        connection.recv()


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
    """Read `count` events from the broker into `take`; return the CPU seconds for one.

    What comes before the first events, imports and connecting, is left out, and so are they.
    """
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
        seen = first = 0
        begin = 0.0
        heard = time.monotonic()
        while seen < count:
            for batch in stream.poll(1.0, BATCH):
                take(batch)
                seen += len(batch.payloads)
                heard = time.monotonic()
            if seen and not first:
                begin, first = time.process_time(), seen
            if time.monotonic() - heard > PATIENCE_SECONDS:
                message = f"{count} events must arrive, none came after {seen}"
                raise TimeoutError(message)
        return (time.process_time() - begin) / (seen - first)
    finally:
        stream.close()
