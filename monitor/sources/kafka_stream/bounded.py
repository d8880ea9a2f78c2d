"""Calls that may hang, given up after a time."""

import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["within"]

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what a call returns, unless it takes too long.

    The call goes on in a thread of its own that does not keep the process from ending.

    Raises
    ------
    TimeoutError
        If it takes longer than `seconds`.
    Exception
        Whatever the call raises.

    Examples
    --------
    >>> within(5, lambda: 1 + 1)
    2
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="kafka-call", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        message = f"no answer within {seconds:g} s"
        raise TimeoutError(message)
    return results[0]
