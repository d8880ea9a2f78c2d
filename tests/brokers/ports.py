"""Ports on the loopback interface for brokers that go down and come back."""

import random
import socket

__all__ = ["LOOPBACK", "free_port"]

LOOPBACK = "127.0.0.1"

# Below the range from which the kernel takes the ports of outgoing connections: a client that
# tries again and again to reach a broker that is down would otherwise connect to itself one day.
FIRST_PORT, LAST_PORT = 20_000, 31_999
TRIES = 200


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    for port in random.sample(range(FIRST_PORT, LAST_PORT + 1), TRIES):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    message = (
        f"a free port must exist between {FIRST_PORT} and {LAST_PORT}; {TRIES} tries found none"
    )
    raise RuntimeError(message)
