"""A stretch of time is read again from a topic, beside whoever follows it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from baselines.schema import Column, Role, Schema
from monitor.decoding.base import Needs
from monitor.sources.base import SourceError
from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.rereading import KafkaStretch, Limits
from monitor.sources.rereading import RereadStoppedError, Stretch
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, delete_records_before, produce

# kafka-python leaves the sockets of connections that the broker cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

START, HOUR, PER_HOUR, HOURS = 1_767_225_600, 3_600, 1_500, 10
SCHEMA = Schema(columns=(
    Column(name="ts", role=Role.TIMESTAMP),
    Column(name="id", role=Role.EVENT_ID),
    Column(name="score", role=Role.SCORE),
))  # fmt: skip
NEEDS = Needs(columns=frozenset({"score"}), event_ids=True)
HOUR_4 = Stretch(
    from_us=(START + 4 * HOUR) * 1_000_000,
    to_us=(START + 5 * HOUR) * 1_000_000,
    lateness_us=600 * 1_000_000,
)
IDS = {f"e{number}" for number in range(4 * PER_HOUR, 5 * PER_HOUR)}


def event_time(number: int) -> float:
    return START + number * HOUR / PER_HOUR


def records() -> list[bytes]:
    return [
        json.dumps({"ts": event_time(number), "id": f"e{number}", "score": 0.5}).encode()
        for number in range(HOURS * PER_HOUR)
    ]


def written_at(number: int) -> int:
    """Return when a record was written: two seconds after its event, in milliseconds."""
    return round((event_time(number) + 2) * 1_000)


def source(broker: SmallBroker, topic: str, **options: Any) -> Kafka:
    return Kafka(
        bootstrap_servers=(broker.bootstrap,), topics=(topic,), group="g",
        fetch_min_bytes=1, fetch_wait_seconds=0.05, **options,
    )  # fmt: skip


def filled(
    broker: SmallBroker,
    payloads: list[bytes] | None = None,
    *,
    partitions: int = 2,
    timestamp_ms: Callable[[int], int] | None = written_at,
) -> str:
    topic = create_topic(broker.bootstrap, partitions=partitions)
    produce(
        broker.bootstrap, topic, payloads or records(),
        partitions=partitions, timestamp_ms=timestamp_ms,
    )  # fmt: skip
    return topic


def read(again: KafkaStretch) -> tuple[set[str], int]:
    """Return the ids of the hour that is looked for, and how many records were read in all."""
    ids: set[str] = set()
    n_records = 0
    (unit,) = again.units()
    for decoded in again.read(unit, SCHEMA, NEEDS):
        columns = decoded.columns
        inside = (columns.time_us >= HOUR_4.from_us) & (columns.time_us < HOUR_4.to_us)
        found: Any = columns.take(inside).event_ids
        ids |= set(found.tolist())
        n_records += decoded.n_records
    return ids, n_records


def test_all_records_of_the_stretch_are_found_and_few_others_read(
    small_broker: SmallBroker,
) -> None:
    again = KafkaStretch(source(small_broker, filled(small_broker)), HOUR_4)

    ids, n_records = read(again)

    assert ids == IDS
    assert n_records < 4 * PER_HOUR + 2 * 2 * 5_000 < HOURS * PER_HOUR * 2
    assert not again.incomplete()


def test_a_log_that_was_filled_long_after_its_events_is_read_as_far_as_its_events(
    small_broker: SmallBroker,
) -> None:
    again = KafkaStretch(source(small_broker, filled(small_broker, timestamp_ms=None)), HOUR_4)

    ids, _ = read(again)

    assert ids == IDS
    assert not again.incomplete()


def test_clocks_that_are_wrong_now_and_then_do_not_end_it(small_broker: SmallBroker) -> None:
    payloads = records()
    for number in range(0, 4 * PER_HOUR, 100):
        wrong = {"ts": START + 9_000 * HOUR, "id": "wrong", "score": 0.5}
        payloads[number] = json.dumps(wrong).encode()

    def timestamp_ms(number: int) -> int:
        wrong = number % 100 == 0 and number < 4 * PER_HOUR
        return written_at(number) + (9_000 * HOUR * 1_000 if wrong else 0)

    again = KafkaStretch(
        source(small_broker, filled(small_broker, payloads, timestamp_ms=timestamp_ms)), HOUR_4
    )

    ids, _ = read(again)

    assert ids == IDS


def test_nobody_who_follows_the_topic_is_disturbed(small_broker: SmallBroker) -> None:
    topic = filled(small_broker)
    before = small_broker.requests()

    read(KafkaStretch(source(small_broker, topic), HOUR_4))

    asked = small_broker.requests() - before
    assert asked["Fetch"]
    assert not [
        name
        for name in asked
        if any(word in name for word in ("Group", "OffsetCommit", "OffsetFetch", "Heartbeat"))
    ]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(records=1_200), "reading was given up after 1,200 records, within "),
        (Limits(bytes=20_000), "reading was given up after 20,000 bytes, within "),
    ],
)
def test_what_a_limit_leaves_out_is_told(
    small_broker: SmallBroker, limits: Limits, reason: str
) -> None:
    again = KafkaStretch(source(small_broker, filled(small_broker)), HOUR_4, limits=limits)

    ids, n_records = read(again)

    assert 0 < len(ids) < len(IDS)
    assert 0 < n_records < 4 * PER_HOUR
    (told,) = again.incomplete()
    assert told.startswith(reason)


def test_records_that_retention_took_are_told(small_broker: SmallBroker) -> None:
    topic = filled(small_broker)
    oldest = 4 * PER_HOUR // 2 + 300
    delete_records_before(small_broker.bootstrap, topic, 0, oldest)
    again = KafkaStretch(source(small_broker, topic), HOUR_4)

    ids, _ = read(again)

    assert len(IDS - ids) == 300
    assert again.incomplete() == (f"records of {topic}/0 before offset {oldest} are gone",)


def test_records_of_other_times_are_not_read_at_all(small_broker: SmallBroker) -> None:
    later = Stretch(from_us=HOUR_4.from_us + 10**15, to_us=HOUR_4.to_us + 10**15)
    again = KafkaStretch(source(small_broker, filled(small_broker)), later)

    assert read(again) == (set(), 0)


def test_a_cluster_that_is_away_is_an_error_in_bounded_time(small_broker: SmallBroker) -> None:
    topic = filled(small_broker, records()[:10])
    small_broker.stop()
    again = KafkaStretch(source(small_broker, topic), HOUR_4, limits=Limits(seconds=2))
    began = time.monotonic()

    with pytest.raises(SourceError, match="no answer from"):
        read(again)

    assert time.monotonic() - began < 30


def test_a_cluster_that_goes_away_while_it_is_read_is_told_in_bounded_time(
    small_broker: SmallBroker,
) -> None:
    few = {"fetch_max_bytes": 1_024, "partition_fetch_max_bytes": 1_024}
    few_at_once = source(small_broker, filled(small_broker), **few)
    again = KafkaStretch(few_at_once, HOUR_4, limits=Limits(seconds=4))
    small_broker.delay(1.0, "Fetch")
    (unit,) = again.units()
    blocks = again.read(unit, SCHEMA, NEEDS)
    next(blocks)
    began = time.monotonic()

    small_broker.stop()
    list(blocks)

    assert time.monotonic() - began < 40
    (told,) = again.incomplete()
    assert told.startswith("reading was given up after 4 seconds, within ")


def test_it_can_be_stopped(small_broker: SmallBroker) -> None:
    topic = filled(small_broker, records()[:10])

    with pytest.raises(RereadStoppedError):
        read(KafkaStretch(source(small_broker, topic), HOUR_4, stopped=lambda: True))


def test_a_topic_that_is_not_there_has_no_records(small_broker: SmallBroker) -> None:
    assert read(KafkaStretch(source(small_broker, "nothing"), HOUR_4)) == (set(), 0)
