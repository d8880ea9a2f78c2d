"""The two kinds of broker that keep one contract."""

import pytest

from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.small.broker import SmallBroker


@pytest.fixture(params=["small", "real"])
def broker(request: pytest.FixtureRequest) -> KafkaNode | SmallBroker:
    """Return a small broker, then a real one."""
    name = "small_broker" if request.param == "small" else "real_kafka"
    chosen: KafkaNode | SmallBroker = request.getfixturevalue(name)
    return chosen
