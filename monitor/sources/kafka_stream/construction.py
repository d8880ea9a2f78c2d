"""Clients of kafka-python made so that a failure leaves nothing running."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient

__all__ = ["constructed"]

T = TypeVar("T")


def constructed(kind: Callable[..., T], settings: Mapping[str, Any]) -> T:
    """Return a consumer or admin client.

    A constructor that raises because no broker answers leaves a thread and sockets behind,
    which would add up while a cluster is away; they are closed here.
    """
    made: list[Any] = []

    def make(**options: object) -> object:
        made.append(KafkaNetClient(**options))
        return made[-1]

    try:
        return kind(**settings, kafka_client=make)
    except BaseException:
        for network in made:
            network.close()
        raise
