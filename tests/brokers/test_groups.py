"""Both brokers let consumers share a topic: who reads what, who is fenced, who may come back."""

import itertools
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import CommitFailedError, FencedInstanceIdError, UnknownMemberIdError
from kafka.structs import OffsetAndMetadata, TopicPartition

from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.polling import poll_until
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, produce

Broker = KafkaNode | SmallBroker
Consumers = Callable[..., KafkaConsumer]

N_PARTITIONS = 6
STRATEGIES = [RangePartitionAssignor, CooperativeStickyAssignor]
_numbers = itertools.count(1)


@pytest.fixture
def topic(broker: Broker) -> str:
    return create_topic(broker.bootstrap, partitions=N_PARTITIONS)


@pytest.fixture
def consumer_of(broker: Broker, topic: str) -> Iterator[Consumers]:
    """Return a function that opens consumers of one new group; all are closed at the end."""
    opened: list[KafkaConsumer] = []
    group = f"group-{next(_numbers)}"

    def consumer(**options: object) -> KafkaConsumer:
        settings = {
            "group_id": group,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "heartbeat_interval_ms": 200,
            "session_timeout_ms": 6_000,
        }
        new = KafkaConsumer(topic, bootstrap_servers=broker.bootstrap, **(settings | options))
        opened.append(new)
        return new

    yield consumer
    for each in opened:
        each.close(timeout_ms=2_000)


def share(members: Sequence[KafkaConsumer]) -> bool:
    """Return whether the members hold every partition once, in parts as even as can be."""
    held = [member.assignment() for member in members]
    sizes = {len(part) for part in held}
    whole = set().union(*held)
    even = max(sizes) - min(sizes) <= 1
    return even and len(whole) == N_PARTITIONS == sum(map(len, held))


def generation_of(member: KafkaConsumer) -> int:
    generation: int = member.group_metadata().generation_id
    return generation


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_three_members_share_the_partitions_and_take_over(
    consumer_of: Consumers, strategy: type
) -> None:
    members = [consumer_of(partition_assignment_strategy=[strategy]) for _ in range(3)]

    poll_until(members, lambda _: share(members))
    members[0].close()
    rest = members[1:]
    poll_until(rest, lambda _: share(rest))

    assert all(len(member.assignment()) == N_PARTITIONS // 2 for member in rest)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_members_read_every_record_once(
    broker: Broker, topic: str, consumer_of: Consumers, strategy: type
) -> None:
    values = [b"%d" % number for number in range(600)]
    members = [consumer_of(partition_assignment_strategy=[strategy]) for _ in range(3)]
    poll_until(members, lambda _: share(members))

    produce(broker.bootstrap, topic, values, partitions=N_PARTITIONS)
    seen = poll_until(members, lambda seen: seen.total() >= len(values))

    assert seen == Counter(values)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_static_member_comes_back_to_its_partitions_without_a_rebalance(
    consumer_of: Consumers, strategy: type
) -> None:
    def slot(name: str) -> KafkaConsumer:
        return consumer_of(group_instance_id=name, partition_assignment_strategy=[strategy])

    first, second, third = members = [slot(name) for name in ("a", "b", "c")]
    poll_until(members, lambda _: share(members))
    held, generation = second.assignment(), generation_of(first)

    second.close()  # a static member says no goodbye
    again = slot("b")
    poll_until([first, again, third], lambda _: again.assignment() == held)

    assert {generation_of(member) for member in (first, again, third)} == {generation}


def test_who_comes_under_a_taken_static_name_fences_the_one_before(
    topic: str, consumer_of: Consumers
) -> None:
    old = consumer_of(group_instance_id="slot")
    poll_until([old], lambda _: share([old]))
    new = consumer_of(group_instance_id="slot")
    poll_until([new], lambda _: share([new]))

    with pytest.raises(FencedInstanceIdError):
        old.commit({TopicPartition(topic, 0): OffsetAndMetadata(1, "", -1)}, timeout_ms=5_000)


def test_a_member_that_stopped_polling_may_not_commit(topic: str, consumer_of: Consumers) -> None:
    slow = consumer_of(max_poll_interval_ms=1_000)
    poll_until([slow], lambda _: share([slow]))
    quick = consumer_of()

    poll_until([quick], lambda _: share([quick]))  # the slow one is dropped meanwhile

    with pytest.raises(CommitFailedError):
        slow.commit({TopicPartition(topic, 0): OffsetAndMetadata(1, "", -1)}, timeout_ms=5_000)


def test_nobody_commits_from_outside_while_the_group_has_members(
    broker: Broker, topic: str, consumer_of: Consumers
) -> None:
    member = consumer_of()
    poll_until([member], lambda _: share([member]))
    partition = TopicPartition(topic, 0)
    member.commit({partition: OffsetAndMetadata(3, "ours", -1)})

    with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
        result = admin.alter_group_offsets(
            member.group_metadata().group_id, {partition: OffsetAndMetadata(9, "", -1)}
        )

    assert result[partition] is UnknownMemberIdError
    assert member.committed(partition) == 3


def test_committed_offsets_are_where_the_next_member_starts(
    broker: Broker, topic: str, consumer_of: Consumers
) -> None:
    produce(broker.bootstrap, topic, [b"%d" % i for i in range(12)], partitions=N_PARTITIONS)
    first = consumer_of()
    poll_until([first], lambda _: share([first]))
    first.commit({TopicPartition(topic, p): OffsetAndMetadata(1, "", -1) for p in range(6)})
    first.close()

    second = consumer_of()
    seen = poll_until([second], lambda seen: seen.total() >= N_PARTITIONS)

    assert seen == Counter([b"%d" % i for i in range(6, 12)])


MEMBER = """
import sys
from kafka import KafkaConsumer
bootstrap, topic, group = sys.argv[1:]
consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group,
                         session_timeout_ms=1000, heartbeat_interval_ms=200)
while not consumer.assignment():
    consumer.poll(timeout_ms=100)
print("joined", flush=True)
while True:
    consumer.poll(timeout_ms=100)
"""


def test_the_partitions_of_a_killed_member_go_to_the_rest(
    broker: Broker, topic: str, consumer_of: Consumers
) -> None:
    rest = consumer_of(partition_assignment_strategy=[RangePartitionAssignor])
    poll_until([rest], lambda _: share([rest]))
    group = rest.group_metadata().group_id
    command = [sys.executable, "-c", MEMBER, broker.bootstrap, topic, group]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        poll_until([rest], lambda _: len(rest.assignment()) == N_PARTITIONS // 2)
        assert killed.stdout is not None
        assert killed.stdout.readline() == "joined\n"

        killed.kill()
        poll_until([rest], lambda _: share([rest]))

    assert len(rest.assignment()) == N_PARTITIONS
