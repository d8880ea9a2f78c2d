"""Clients of kafka-python made so that a failure says why and leaves nothing running."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient

__all__ = ["constructed"]

T = TypeVar("T")

TRIES = 8
TRY_SECONDS = 0.5
HUNG_UP = "socket disconnected"


def constructed(kind: Callable[..., T], settings: Mapping[str, Any]) -> T:
    """Return a consumer or admin client.

    A constructor that raises because no broker answers leaves a thread and sockets behind,
    which would add up while a cluster is away; they are closed here. What it raises says only
    that the time is up; what has happened is found out by another try.
    """
    made: list[Any] = []

    def make(**options: object) -> object:
        made.append(KafkaNetClient(**options))
        return made[-1]

    try:
        return kind(**settings, kafka_client=make)
    except BaseException as error:
        try:
            cause = _cause(made[-1]) if isinstance(error, KafkaTimeoutError) and made else None
        finally:
            for network in made:
                network.close()
        if cause is None:
            raise
        raise cause from error


def _cause(network: Any) -> Exception | None:  # noqa: ANN401 - the client has no types
    """Return what keeps the client from connecting.

    A broker that refuses a password says so and hangs up, and kafka-python often notices only
    the latter; then it is asked again.
    """
    cause: Exception | None = None
    for broker in network.cluster.bootstrap_brokers():
        for _ in range(TRIES):
            cause = _attempt(network, broker.node_id)
            if cause is None or HUNG_UP not in str(cause):
                break
        if not isinstance(cause, KafkaConnectionError) or "SSL" in str(cause):
            # Not just away: more than this no other broker can tell.
            break
    return cause


def _attempt(network: Any, node: str) -> Exception | None:  # noqa: ANN401 - see above
    """Return what comes of connecting once, without the client's pauses between attempts."""
    manager = network._manager

    async def connect() -> None:
        manager.reset_backoff(node)
        await manager.get_connection(
            node,
            timeout_ms=round(TRY_SECONDS * 1_000),
            pop_on_close=True,
            refresh_metadata_on_err=False,
            reset_backoff_on_connect=False,
        )

    try:
        manager._net.run(connect)
    except Exception as error:
        return error
    return None
