"""Consumers that poll side by side until something holds."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from kafka import KafkaConsumer

__all__ = ["poll_until"]

PATIENCE_SECONDS = 20


def poll_until(
    members: Sequence[KafkaConsumer], reached: Callable[[Counter[bytes]], bool]
) -> Counter[bytes]:
    """Let members poll until something holds, and return how often each value came.

    `reached` is given the values so far. Every member polls in a thread of its own: kafka-python
    3.0 throws away a join that is answered between two polls, so members of one group that poll
    in turn may keep each other joining for ever.

    Raises
    ------
    AssertionError
        If it does not hold within 20 seconds.
    """
    seen: Counter[bytes] = Counter()
    over = Event()

    def poll(member: KafkaConsumer) -> None:
        while not over.is_set():
            # Longer while it joins: the fewer the ends of polls, the fewer joins are thrown away.
            patience = 300 if member.assignment() else 1_000
            for records in member.poll(timeout_ms=patience).values():
                seen.update(record.value for record in records)

    with ThreadPoolExecutor(len(members)) as pool:
        polling = [pool.submit(poll, member) for member in members]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached(seen) and time.monotonic() < deadline:
            if any(each.done() for each in polling):
                break
            time.sleep(0.02)
        over.set()
    for each in polling:
        each.result()
    assert reached(seen), [member.assignment() for member in members]
    return seen
