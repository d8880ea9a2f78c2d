"""Long work shows how far it is: on a terminal a bar, elsewhere nothing."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Protocol

__all__ = ["NoProgress", "Progress", "terminal_progress"]


class Progress(Protocol):
    """Is told when a piece of work begins and when a step of it is done."""

    def start(self, what: str, steps: int) -> None:
        """Begin a piece of work of `steps` steps."""
        ...

    def advance(self, steps: int = 1) -> None:
        """Report that `steps` more are done."""
        ...


class NoProgress:
    """Says nothing."""

    def start(self, what: str, steps: int) -> None:
        """Begin a piece of work."""

    def advance(self, steps: int = 1) -> None:
        """Report steps that are done."""


@contextlib.contextmanager
def terminal_progress() -> Iterator[Progress]:
    """Yield a bar on standard error if it is a terminal, else something that says nothing."""
    if not sys.stderr.isatty():
        yield NoProgress()
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID, TimeRemainingColumn

    with Bar(
        *Bar.get_default_columns()[:-1],
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
        transient=True,
    ) as bar:

        class _TerminalProgress:
            def __init__(self) -> None:
                self._task: TaskID | None = None

            def start(self, what: str, steps: int) -> None:
                if self._task is not None:
                    bar.remove_task(self._task)
                self._task = bar.add_task(what, total=steps)

            def advance(self, steps: int = 1) -> None:
                if self._task is not None:
                    bar.advance(self._task, steps)

        yield _TerminalProgress()
