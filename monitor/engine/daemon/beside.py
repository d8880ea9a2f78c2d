"""Threads that run beside a block, and are waited for at its end."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping

__all__ = ["beside"]


@contextlib.contextmanager
def beside(
    loops: Mapping[str, Callable[[], None]],
    stopping: threading.Event,
    *,
    join_seconds: float,
) -> Iterator[None]:
    """Run every loop in a thread of its own while the block runs.

    Parameters
    ----------
    loops
        By the name of the thread; each must end soon after `stopping` is set.
    stopping
        Is set when the block ends.
    join_seconds
        For how long all of them together are waited for then. What still runs does not keep
        the process from ending.
    """
    threads = [
        threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        until = time.monotonic() + join_seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
