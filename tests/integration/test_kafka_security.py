"""The Kafka source on a node that asks for TLS, certificates and passwords."""

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.sources.base import SourceError
from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.kafka_node.security import Authority, Security
from tests.integration.kafka_reader import CLIENTS, Reader, filled, quick_source, values

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

N = 300
PATIENCE_SECONDS = 20
DECODERS = {
    "stock": {"client": "kafka-python", "fast_decode": "off"},
    "blocks": {"client": "kafka-python", "fast_decode": "auto"},
    "confluent": {"client": "confluent-kafka"},
}


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Let kafka-python's sockets of failed handshakes, which it leaves open, end here."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def topic(real_kafka: KafkaNode) -> str:
    return filled(real_kafka.bootstrap, N)


def by_certificate(security: Security) -> dict[str, Any]:
    return {
        "security_protocol": "SSL",
        "ssl_ca_file": security.authority.certificate,
        "ssl_certificate_file": security.client.certificate,
        "ssl_key_file": security.client.key,
        "ssl_key_password": security.key_password,
    }


def by_password(security: Security) -> dict[str, Any]:
    return {
        "security_protocol": "SASL_SSL",
        "ssl_ca_file": security.authority.certificate,
        "sasl_mechanism": security.mechanism,
        "sasl_username": security.user,
        "sasl_password": security.password,
    }


def opened(node: KafkaNode, topic: str, options: dict[str, Any]) -> Reader:
    bootstrap = node.bootstrap_of(options["security_protocol"])
    return Reader(quick_source(bootstrap, topic, **options))


def refusal(reader: Reader) -> str:
    """Read until the source refuses to go on; return what it says."""
    began = time.monotonic()
    with pytest.raises(SourceError) as refused:
        reader.drain(N, seconds=PATIENCE_SECONDS)
    reader.close()
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert not reader.ledger.n_counted()
    return str(refused.value)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("way", [by_certificate, by_password])
def test_everything_that_is_there_is_read_over_tls(
    real_kafka: KafkaNode, secured_kafka: Security, topic: str, way: Any, decoder: str
) -> None:
    group = f"{topic}-{way.__name__}-{decoder}"
    reader = opened(real_kafka, topic, {**way(secured_kafka), **DECODERS[decoder], "group": group})

    reader.drain(N)
    caught_up = reader.wait_until_caught_up()
    reader.close()

    assert caught_up
    assert reader.ledger.payloads() == values(0, N)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_broker_that_nobody_known_has_signed_is_refused_with_advice(
    real_kafka: KafkaNode, secured_kafka: Security, topic: str, client: str, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "somebody-else")
    options = by_certificate(secured_kafka) | {"ssl_ca_file": other.certificate, "client": client}

    said = refusal(opened(real_kafka, topic, options))

    assert "is not trusted" in said
    assert "source.ssl_ca_file must hold the certificate of who signed it" in said
    assert secured_kafka.key_password not in said


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_password_is_told_with_advice_and_not_printed(
    real_kafka: KafkaNode,
    secured_kafka: Security,
    topic: str,
    client: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = "wrong-horse"
    options = by_password(secured_kafka) | {"sasl_password": wrong, "client": client}

    said = refusal(opened(real_kafka, topic, options))

    assert "check source.sasl_username and source.sasl_password" in said
    assert wrong not in said + caplog.text + "".join(capfd.readouterr())


def test_a_client_without_a_certificate_is_told_to_show_one(
    real_kafka: KafkaNode, secured_kafka: Security, topic: str
) -> None:
    shown = {"security_protocol": "SSL", "ssl_ca_file": secured_kafka.authority.certificate}

    said = refusal(opened(real_kafka, topic, shown))

    assert "source.ssl_certificate_file" in said


def test_a_mechanism_that_the_broker_does_not_offer_is_named(
    real_kafka: KafkaNode, secured_kafka: Security, topic: str
) -> None:
    options = by_password(secured_kafka) | {"sasl_mechanism": "PLAIN"}

    said = refusal(opened(real_kafka, topic, options))

    assert "source.sasl_mechanism must be one that the broker offers, got 'PLAIN'" in said
