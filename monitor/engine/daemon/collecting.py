"""How often Python looks for objects that refer to each other in a circle."""

import gc

__all__ = ["collect_less_often"]

ALLOCATIONS = 50_000


def collect_less_often() -> None:
    """Look for circles after 50,000 new objects instead of 700, and never among those of now.

    A client makes several objects for each record, which are gone a moment later and are in no
    circle; with the usual thresholds a fifth of the time from Kafka to counts went into looking
    at them. It holds for the whole process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 100)
