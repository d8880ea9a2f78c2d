"""From the options of the source to an open stream."""

import importlib.util
import logging
import time
from collections.abc import Callable

from monitor.sources.base import SourceError
from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.block_decoding import decodes_alike
from monitor.sources.kafka_stream.client import Client, Partition
from monitor.sources.kafka_stream.kafka_python import KafkaPythonClient
from monitor.sources.kafka_stream.refusals import check_certificates
from monitor.sources.kafka_stream.stream import KafkaStream
from monitor.sources.live import Claims

__all__ = ["open_stream"]

_log = logging.getLogger(__name__)


def open_stream(
    options: Kafka,
    claims: Claims,
    *,
    worker: str,
    monotonic: Callable[[], float] = time.monotonic,
) -> KafkaStream:
    """Return the open stream of a source; no broker is asked yet.

    Parameters
    ----------
    options, claims, worker
        As for `monitor.sources.live.LiveSource.open`.
    monotonic
        Seconds that never go back.

    Raises
    ------
    SourceError
        If the client is not installed, or a file for TLS cannot be used.
    """
    check_certificates(options)
    make_client = _maker(options, worker)
    return KafkaStream(options, claims, make_client=make_client, monotonic=monotonic)


def _maker(options: Kafka, worker: str) -> Callable[[], Client]:
    named = [Partition.named(name) for name in options.partitions] or None
    if options.client == "confluent-kafka":
        if importlib.util.find_spec("confluent_kafka") is None:
            message = (
                "confluent-kafka must be installed for source.client: confluent-kafka; "
                "install outputwatch[confluent], or use kafka-python"
            )
            raise SourceError(message)
        from monitor.sources.kafka_stream.confluent import ConfluentClient

        return lambda: ConfluentClient(options, partitions=named, worker=worker)
    blocks = options.fast_decode == "auto" and _blocks_are_right()
    return lambda: KafkaPythonClient(options, partitions=named, blocks=blocks)


def _blocks_are_right() -> bool:
    try:
        alike = decodes_alike()
    except Exception as error:
        # It rests on what kafka-python keeps to itself and may change at will.
        _log.warning("block decoding does not work with this kafka-python: %r", error)
        return False
    if not alike:
        _log.warning("block decoding differs from kafka-python's own, which is used instead")
    return alike
