"""What workers are called, and what can be told from a name."""

import os
import socket

__all__ = ["has_gone", "worker_name"]


def worker_name() -> str:
    """Return a name for this process that no other one has at the same time."""
    return f"{socket.gethostname()}:{os.getpid()}"


def has_gone(name: str) -> bool:
    """Return whether a worker was a process of this host that is not there any more.

    False: it may live, or nothing is known of it.

    Examples
    --------
    >>> has_gone(worker_name()), has_gone("another-host:17"), has_gone("given by a person")
    (False, False, False)
    """
    host, _, number = name.rpartition(":")
    if host != socket.gethostname() or not number.isdecimal() or int(number) < 1:
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
