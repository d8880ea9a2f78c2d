"""The options of the source in the words of each client."""

from typing import Any

from monitor.sources.kafka import Kafka

__all__ = ["confluent_settings", "connection_settings", "consumer_settings"]

REQUEST_TIMEOUT_SECONDS = 10.0
BOOTSTRAP_SECONDS = 3.0
METADATA_SECONDS = 30.0


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)


def _path(path: object) -> str | None:
    return None if path is None else str(path)


def connection_settings(options: Kafka) -> dict[str, Any]:
    """Return how kafka-python connects, for consumers and the admin client."""
    settings: dict[str, Any] = {
        "bootstrap_servers": list(options.bootstrap_servers),
        "security_protocol": options.security_protocol,
        "bootstrap_timeout_ms": _ms(BOOTSTRAP_SECONDS),
        "request_timeout_ms": _ms(REQUEST_TIMEOUT_SECONDS),
        "reconnect_backoff_max_ms": 2_000,
    }
    if options.security_protocol.endswith("SSL"):
        settings |= {
            "ssl_cafile": _path(options.ssl_ca_file),
            "ssl_certfile": _path(options.ssl_certificate_file),
            "ssl_keyfile": _path(options.ssl_key_file),
            "ssl_password": options.ssl_key_password or None,
        }
    if options.security_protocol.startswith("SASL"):
        settings |= {
            "sasl_mechanism": options.sasl_mechanism,
            "sasl_plain_username": options.sasl_username,
            "sasl_plain_password": options.read_password(),
        }
    return settings


def consumer_settings(options: Kafka) -> dict[str, Any]:
    """Return how kafka-python fetches.

    There are no deserializers: one that raises makes the client spin. Nothing is committed or
    reset by the client itself.
    """
    return connection_settings(options) | {
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": options.isolation_level,
        "check_crcs": True,
        "fetch_min_bytes": options.fetch_min_bytes,
        "fetch_max_wait_ms": _ms(options.fetch_wait_seconds),
        "fetch_max_bytes": options.fetch_max_bytes,
        "max_partition_fetch_bytes": options.partition_fetch_max_bytes,
        "metadata_max_age_ms": _ms(METADATA_SECONDS),
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }


def confluent_settings(options: Kafka, worker: str) -> dict[str, Any]:
    """Return how librdkafka connects and fetches."""
    cooperative = options.rebalancing == "cooperative"
    settings: dict[str, Any] = {
        "bootstrap.servers": ",".join(options.bootstrap_servers),
        "client.id": f"outputwatch-{worker}",
        # librdkafka wants a group even of a consumer that joins none.
        "group.id": options.group or f"outputwatch-{worker}",
        "security.protocol": options.security_protocol,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "isolation.level": options.isolation_level,
        "check.crcs": True,
        "partition.assignment.strategy": "cooperative-sticky" if cooperative else "range",
        "session.timeout.ms": _ms(options.session_timeout_seconds),
        "heartbeat.interval.ms": _ms(options.heartbeat_seconds),
        "max.poll.interval.ms": _ms(options.max_poll_seconds),
        "fetch.min.bytes": options.fetch_min_bytes,
        "fetch.wait.max.ms": _ms(options.fetch_wait_seconds),
        "fetch.max.bytes": options.fetch_max_bytes,
        "max.partition.fetch.bytes": options.partition_fetch_max_bytes,
        "queued.max.messages.kbytes": options.fetch_max_bytes >> 10,
        "topic.metadata.refresh.interval.ms": _ms(METADATA_SECONDS),
        "allow.auto.create.topics": False,
        "log_level": 2,
        "group.instance.id": options.group_instance_id,
        "ssl.ca.location": _path(options.ssl_ca_file),
        "ssl.certificate.location": _path(options.ssl_certificate_file),
        "ssl.key.location": _path(options.ssl_key_file),
        "ssl.key.password": options.ssl_key_password or None,
        "sasl.mechanism": options.sasl_mechanism,
        "sasl.username": options.sasl_username or None,
        "sasl.password": options.read_password() or None,
    }
    return {name: value for name, value in settings.items() if value is not None}
