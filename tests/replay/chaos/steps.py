"""The steps of a claim and of a checkpoint by name, each of which a worker may not survive.

The product has no hooks for tests: methods are wrapped from outside, once for the process.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.engine.default import DefaultDialect

from monitor.engine.daemon.deciding import Decider
from monitor.storage.incidents import IncidentRepository
from monitor.storage.store import Store
from monitor.storage.streams import StreamRepository

__all__ = ["STEPS", "steps_told", "told_by"]

_METHODS: dict[str, tuple[type, str]] = {
    "claim": (StreamRepository, "claim"),
    "known counts": (StreamRepository, "partials_of"),
    "release": (StreamRepository, "release"),
    "lock": (StreamRepository, "locked"),
    "move": (StreamRepository, "move"),
    "counts": (StreamRepository, "put_partials"),
    "ids": (StreamRepository, "add_ids"),
    "letters": (StreamRepository, "add_letters"),
    "decide": (Decider, "decide"),
    "windows": (Store, "write_windows"),
    "findings": (Store, "write_findings"),
    "incidents": (IncidentRepository, "apply"),
    "states": (Store, "save_states"),
    "row": (StreamRepository, "save"),
    "forget": (StreamRepository, "forget_open"),
    "commit": (DefaultDialect, "do_commit"),
}
STEPS = tuple(f"{side} {name}" for name in _METHODS for side in ("before", "after"))
"""What may be told: ``before move``, ``after move`` and so on."""

_listening = threading.local()
_process_wide: list[Callable[[str], None]] = []


@contextmanager
def told_by(listener: Callable[[str], None], *, all_threads: bool = False) -> Iterator[None]:
    """Tell a listener the steps of this thread, or of all; what it raises, the step raises."""
    if all_threads:
        _process_wide.append(listener)
        yield
        return
    _listening.listener = listener
    try:
        yield
    finally:
        _listening.listener = None


def steps_told(patch: pytest.MonkeyPatch) -> None:
    """Wrap the methods until the patch is undone."""
    for name, (owner, method) in _METHODS.items():
        patch.setattr(owner, method, _telling(name, getattr(owner, method)))


def _telling(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def told(*arguments: Any, **options: Any) -> Any:
        _tell(f"before {name}")
        result = method(*arguments, **options)
        _tell(f"after {name}")
        return result

    return told


def _tell(step: str) -> None:
    listener = getattr(_listening, "listener", None)
    for each in (*_process_wide, *([listener] if listener else [])):
        each(step)
