"""What a test's Kafka node is told: one node, loopback, nothing that waits."""

from collections.abc import Mapping
from pathlib import Path

from tests.brokers.ports import LOOPBACK

__all__ = ["java_options", "server_properties"]

FIXED = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": (
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL"
    ),
    "num.network.threads": "2",
    "num.io.threads": "2",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
    # A node killed with SIGKILL may register again only when its former session has ended.
    "broker.heartbeat.interval.ms": "200",
    "broker.session.timeout.ms": "1000",
    # Tests write records of any age, and of the future.
    "log.retention.ms": "-1",
    "log.message.timestamp.before.max.ms": str(2**63 - 1),
    "log.message.timestamp.after.max.ms": str(2**63 - 1),
    "log.cleaner.enable": "false",
}


def server_properties(
    log_folder: Path, ports: Mapping[str, int], more: Mapping[str, str] | None = None
) -> str:
    """Return the text of server.properties for a node.

    Parameters
    ----------
    ports
        The port of each listener: CONTROLLER, PLAINTEXT, and SSL and SASL_SSL if it is secured.
    more
        Other settings.
    """
    listeners = ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items())
    settings = FIXED | {
        "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{ports['CONTROLLER']}",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "log.dirs": str(log_folder),
    }
    settings |= more or {}
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def java_options(jars: Path, temporary: Path) -> list[str]:
    """Return the options of a small and quickly started virtual machine that logs to stdout."""
    logger = "-Dorg.slf4j.simpleLogger"
    return [
        "-Xms96m",
        "-Xmx384m",
        "-Xss512k",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Djava.io.tmpdir={temporary}",
        f"{logger}.logFile=System.out",
        f"{logger}.showDateTime=true",
        f"{logger}.defaultLogLevel=warn",
        f"{logger}.log.kafka.server.KafkaRaftServer=info",
        "-cp",
        f"{jars}/*",
    ]
