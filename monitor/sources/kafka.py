"""Kafka topics, followed as they grow; positions are kept by the monitor, not by Kafka."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import annotated_types as at

from monitor.sources.base import Source, SourceError, source
from monitor.sources.live import Claims, LiveStream
from monitor.sources.live_only import LiveOnly
from monitor.sources.rereading import Stretch

__all__ = ["Kafka"]

_NAMED_PARTITION = re.compile(r"^[A-Za-z0-9._-]+/[0-9]+$")
_STARTS = ("earliest", "latest")
_BY_REFERENCE = {"by_reference": True}

Text = Annotated[str, at.MinLen(1)]
Bytes = Annotated[int, at.Ge(1_024), at.Le(1 << 30)]


@source
@dataclass(frozen=True, slots=True, kw_only=True)
class Kafka(LiveOnly):
    """Topics of a Kafka cluster, one JSON object a record, followed by `outputwatch run`.

    Reading goes on from the position in the monitor's own database, never from the offsets that
    the group has committed in Kafka; those are written for dashboards.

    Parameters
    ----------
    bootstrap_servers
        Brokers to ask first, as ``host:port``.
    topics
        The topics to follow with the members of `group`.
    group
        The consumer group; workers of one monitor share it and the partitions.
    partitions
        Instead of `topics` and `group`: partitions as ``topic/0`` that this one worker reads on
        its own.
    client
        ``kafka-python``, or ``confluent-kafka`` (installed with ``outputwatch[confluent]``).
    start
        Where a partition begins of which nothing was ever counted: ``earliest``, ``latest`` or
        an RFC 3339 time with offset, by the time of the records in Kafka.
    rebalancing
        How partitions move between workers: ``cooperative`` or ``eager``. All members of a
        group must agree.
    group_instance_id
        A name for this worker that outlives restarts (static membership), unique in the group;
        a quick restart then moves no partitions. null: none.
    session_timeout_seconds
        A worker not heard from for this time loses its partitions.
    heartbeat_seconds
        The time between signs of life.
    max_poll_seconds
        A worker that does not ask for records for this time loses its partitions.
    isolation_level
        ``read_committed`` leaves out records of aborted transactions and waits for open ones.
    on_retention_gap
        When records were deleted before they were read: ``stop``, or ``skip`` to the oldest
        that is left. Either way it is told, with the exact offsets.
    on_unreadable_batch
        When a batch has a wrong checksum or cannot be decompressed: ``stop``, or ``skip`` to
        the next one that can be read. Either way it is told, with the exact offsets.
    fast_decode
        ``auto`` reads record batches as blocks if a test at the start finds the same as
        kafka-python's own decoder, which is used otherwise, and with ``off``.
    fetch_min_bytes
        A broker waits for so many bytes before it answers ...
    fetch_wait_seconds
        ... but not longer than this.
    fetch_max_bytes
        The most that a broker answers at once.
    partition_fetch_max_bytes
        The most that it answers for one partition; a larger batch is read all the same.
    security_protocol
        How to connect: in clear or with TLS, without or with a password (SASL).
    ssl_ca_file
        Certificates to trust, PEM; null: those of the system.
    ssl_certificate_file
        The certificate to show, PEM.
    ssl_key_file
        Its private key, PEM.
    ssl_key_password
        What the key is encrypted with, as ``${NAME}``: the environment variable that holds it.
    sasl_mechanism
        How the password is sent.
    sasl_username
        The user; ``${NAME}`` is replaced by the environment variable.
    sasl_password
        The password, as ``${NAME}``: the environment variable that holds it. It is never printed.
    sasl_password_file
        Instead: a file that holds the password; it is read whenever a connection is made.
    """

    name: ClassVar[str] = "kafka"
    bootstrap_servers: Annotated[tuple[Text, ...], at.MinLen(1)]
    topics: tuple[Text, ...] = ()
    group: Text | None = None
    partitions: tuple[Text, ...] = ()
    client: Literal["kafka-python", "confluent-kafka"] = "kafka-python"
    start: Text = "earliest"
    rebalancing: Literal["cooperative", "eager"] = "cooperative"
    group_instance_id: Text | None = None
    session_timeout_seconds: Annotated[float, at.Ge(0.5), at.Le(1_800)] = 45.0
    heartbeat_seconds: Annotated[float, at.Ge(0.1), at.Le(600)] = 3.0
    max_poll_seconds: Annotated[float, at.Ge(1), at.Le(86_400)] = 300.0
    isolation_level: Literal["read_committed", "read_uncommitted"] = "read_committed"
    on_retention_gap: Literal["stop", "skip"] = "stop"
    on_unreadable_batch: Literal["stop", "skip"] = "stop"
    fast_decode: Literal["auto", "off"] = "auto"
    fetch_min_bytes: Annotated[int, at.Ge(1), at.Le(1 << 30)] = 1 << 16
    fetch_wait_seconds: Annotated[float, at.Ge(0), at.Le(10)] = 0.5
    fetch_max_bytes: Bytes = 16 << 20
    partition_fetch_max_bytes: Bytes = 2 << 20
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_ca_file: Path | None = None
    ssl_certificate_file: Path | None = None
    ssl_key_file: Path | None = None
    ssl_key_password: str = field(default="", repr=False, metadata=_BY_REFERENCE)
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str = field(default="", repr=False)
    sasl_password: str = field(default="", repr=False, metadata=_BY_REFERENCE)
    sasl_password_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what single constraints cannot say.

        Raises
        ------
        ValueError
            If options contradict each other.
        """
        self._check_what_is_read()
        self._check_times()
        self._check_security()

    @property
    def start_ms(self) -> int | None:
        """Return the time to start at, in milliseconds since the epoch, if it is a time."""
        if self.start in _STARTS:
            return None
        return round(datetime.fromisoformat(self.start).timestamp() * 1_000)

    def read_password(self) -> str:
        """Return the password, read now if it is in a file.

        Raises
        ------
        SourceError
            If the file cannot be read.
        """
        if self.sasl_password_file is None:
            return self.sasl_password
        try:
            return self.sasl_password_file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = type(error).__name__ if isinstance(error, ValueError) else error
            message = f"source.sasl_password_file must be a text file, got {reason}"
            raise SourceError(message) from None

    def open(self, claims: Claims, *, worker: str) -> LiveStream:
        """Return the open stream; a broker that is down is waited for, not an error.

        Raises
        ------
        SourceError
            If the client is not installed, or a file for TLS cannot be used.
        """
        # The clients take long to import; nobody who only checks a configuration needs them.
        from monitor.sources.kafka_stream.opening import open_stream

        return open_stream(self, claims, worker=worker)

    def reread(self, stretch: Stretch, *, stopped: Callable[[], bool]) -> Source:
        """Return the records around a stretch of time, read by a consumer without a group.

        It is always kafka-python that reads them.
        """
        from monitor.sources.kafka_stream.rereading import KafkaStretch

        return KafkaStretch(self, stretch, stopped=stopped)

    def _check_what_is_read(self) -> None:
        if bool(self.topics) == bool(self.partitions):
            message = "either topics (with a group) or partitions must be given"
            raise ValueError(message)
        if self.topics and self.group is None:
            message = "group must be given with topics; it is the name that workers share"
            raise ValueError(message)
        if self.partitions and (self.group or self.group_instance_id):
            message = "group and group_instance_id go with topics, not with partitions"
            raise ValueError(message)
        for partition in self.partitions:
            if not _NAMED_PARTITION.match(partition):
                message = f"partitions must be named like 'topic/0', got {partition!r}"
                raise ValueError(message)
        if not _is_start(self.start):
            message = (
                "start must be 'earliest', 'latest' or a time such as '2026-05-01T00:00:00Z', "
                f"got {self.start!r}"
            )
            raise ValueError(message)

    def _check_times(self) -> None:
        if 3 * self.heartbeat_seconds > self.session_timeout_seconds:
            message = (
                "heartbeat_seconds must be at most a third of session_timeout_seconds, got "
                f"{self.heartbeat_seconds!r} and {self.session_timeout_seconds!r}"
            )
            raise ValueError(message)
        if self.max_poll_seconds < self.session_timeout_seconds:
            message = (
                "max_poll_seconds must be at least session_timeout_seconds, got "
                f"{self.max_poll_seconds!r} and {self.session_timeout_seconds!r}"
            )
            raise ValueError(message)

    def _check_security(self) -> None:
        by_password = self.security_protocol.startswith("SASL")
        password = self.sasl_password or self.sasl_password_file
        named = (self.sasl_mechanism, self.sasl_username, password)
        if by_password and not all(named):
            message = (
                "sasl_mechanism, sasl_username and sasl_password (or sasl_password_file) must be "
                f"given with {self.security_protocol}"
            )
            raise ValueError(message)
        if self.sasl_password and self.sasl_password_file:
            message = "sasl_password and sasl_password_file must not both be given"
            raise ValueError(message)
        if not by_password and any(named):
            message = (
                "sasl options need security_protocol SASL_SSL or SASL_PLAINTEXT, got "
                f"{self.security_protocol!r}"
            )
            raise ValueError(message)
        files = (self.ssl_ca_file, self.ssl_certificate_file, self.ssl_key_file)
        if any((*files, self.ssl_key_password)) and not self.security_protocol.endswith("SSL"):
            message = (
                "ssl options need security_protocol SSL or SASL_SSL, got "
                f"{self.security_protocol!r}"
            )
            raise ValueError(message)


def _is_start(text: str) -> bool:
    if text in _STARTS:
        return True
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return False
    return time.tzinfo is not None and time.timestamp() >= 0
