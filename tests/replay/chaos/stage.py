"""A broker with a scenario's records in a topic, for many performances."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from tests.brokers.topics import create_topic
from tests.replay.chaos.blows import Blow
from tests.replay.chaos.performance import Broker, Performance
from tests.replay.chaos.scenario import Scenario
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.space import Space

__all__ = ["Stage", "fill_topic"]

TOPIC = "chaos"


@dataclass(frozen=True)
class Stage:
    """A broker with a scenario's records in a topic, for many performances."""

    setting: Setting
    scenario: Scenario
    broker: Broker
    topic: str
    space: Space | None = None
    blows: tuple[Blow, ...] = tuple(Blow)

    @classmethod
    def filled(
        cls,
        setting: Setting,
        scenario: Scenario,
        broker: Broker,
        space: Space | None = None,
        blows: tuple[Blow, ...] = tuple(Blow),
    ) -> "Stage":
        """Write the records and return the stage."""
        return cls(setting, scenario, broker, fill_topic(broker, scenario), space, blows)

    def performance(
        self,
        seed: int,
        url: str,
        told: Counter[str] | None = None,
        server: Path | None = None,
        **options: Any,
    ) -> Performance:
        """Return the performance of a seed on a database; the options are those of its class."""
        return Performance(
            setting=self.setting,
            scenario=self.scenario,
            broker=self.broker,
            topic=self.topic,
            url=url,
            seed=seed,
            told=Counter() if told is None else told,
            server=server,
            space=self.space,
            **{"blows": self.blows, **options},
        )


def fill_topic(broker: Broker, scenario: Scenario) -> str:
    """Write the records of a scenario to a new topic and return its name."""
    topic = create_topic(broker.bootstrap, TOPIC, partitions=len(scenario.partitions))
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, batch_size=4_096, linger_ms=5)
    try:
        for partition, payloads in enumerate(scenario.partitions):
            for payload in payloads:
                producer.send(topic, payload, partition=partition)
        producer.flush(timeout=30)
    finally:
        producer.close(timeout=10)
    return topic
