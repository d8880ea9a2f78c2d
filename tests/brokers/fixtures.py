"""Brokers for every test, as a pytest plugin: a real Kafka node where it can run, or our own.

`kafka` is the broker to test on. It is a real node if `java` and `mvn` are there, else the small
broker; the environment variable OUTPUTWATCH_KAFKA=small asks for the small one. Where skips are
forbidden (OUTPUTWATCH_FORBID_SKIPS=1) it must be real.
"""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.brokers.kafka_node.jars import missing_programs
from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.kafka_node.security import Security
from tests.brokers.small.broker import SmallBroker

__all__ = [
    "kafka",
    "kafka_is_real",
    "new_kafka",
    "pytest_report_header",
    "real_kafka",
    "secured_kafka",
    "small_broker",
]

REAL_REQUIRED = os.environ.get("OUTPUTWATCH_FORBID_SKIPS") == "1"


def _why_not_real() -> str:
    missing = missing_programs()
    if missing:
        return f"{' and '.join(missing)} not in PATH"
    if os.environ.get("OUTPUTWATCH_KAFKA") == "small":
        return "OUTPUTWATCH_KAFKA=small"
    return ""


def pytest_report_header() -> str:
    """Say which broker the Kafka tests run on."""
    reason = _why_not_real()
    if reason:
        return (
            f"kafka: {SmallBroker.description} ({reason}); tests that need a real one do not run"
        )
    return f"kafka: {KafkaNode.description}"


@pytest.fixture(scope="session")
def kafka_is_real() -> bool:
    """Whether `kafka` is a real node."""
    reason = _why_not_real()
    if reason and REAL_REQUIRED:
        pytest.fail(f"a real Kafka node is required where skips are forbidden: {reason}")
    return not reason


@pytest.fixture(scope="session")
def new_kafka(
    kafka_is_real: bool, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], KafkaNode | SmallBroker]:
    """Return a function that gives a broker of one's own, not yet started: use it with `with`."""

    def new() -> KafkaNode | SmallBroker:
        if kafka_is_real:
            return KafkaNode(tmp_path_factory.mktemp("kafka"))
        return SmallBroker()

    return new


@pytest.fixture(scope="session")
def kafka(
    kafka_is_real: bool, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KafkaNode | SmallBroker]:
    """Return the broker that the session shares: make a topic of your own, never stop it.

    A real node listens for TLS as well.
    """
    if not kafka_is_real:
        with SmallBroker() as broker:
            yield broker
        return
    security = Security.made(tmp_path_factory.mktemp("certificates"))
    with KafkaNode(tmp_path_factory.mktemp("kafka"), security) as node:
        yield node


@pytest.fixture(scope="session")
def real_kafka(request: pytest.FixtureRequest, kafka_is_real: bool) -> KafkaNode:
    """Return the shared broker if it is a real node, or skip."""
    if not kafka_is_real:
        pytest.skip(f"needs a real Kafka node: {_why_not_real()}")
    node: KafkaNode = request.getfixturevalue("kafka")
    return node


@pytest.fixture(scope="session")
def secured_kafka(real_kafka: KafkaNode) -> Security:
    """Return what the clients of the shared node need to connect with TLS, or skip."""
    assert real_kafka.security is not None
    return real_kafka.security


@pytest.fixture
def small_broker() -> Iterator[SmallBroker]:
    """Return a fresh small broker that the test may hurt."""
    with SmallBroker() as broker:
        yield broker
