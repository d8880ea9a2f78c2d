"""The windows of the reference that a baseline remembers: the most recent ones that fit."""

from collections import deque
from dataclasses import dataclass, field

from baselines.summary import Window
from monitor.windows.slices import ALL

__all__ = ["ReferenceHistory"]

MAX_HISTORY_CELLS = 1 << 25
"""How many cells a baseline's history may hold, 256 MiB in memory."""


@dataclass(slots=True, kw_only=True)
class ReferenceHistory:
    """Keeps the latest windows, those of all traffic before those of slices.

    Parameters
    ----------
    n_cells
        The cells of one window.
    """

    n_cells: int
    n_windows: int = 0
    _whole: deque[tuple[int, Window]] = field(default_factory=deque)
    _slices: deque[tuple[int, Window]] = field(default_factory=deque)
    _n_added: int = 0

    def add(self, window: Window) -> None:
        """Remember a window, the next in order of time, and forget what no longer fits."""
        whole = window.key.slice == ALL
        self.n_windows += whole
        (self._whole if whole else self._slices).append((self._n_added, window))
        self._n_added += 1
        room = max(1, MAX_HISTORY_CELLS // self.n_cells)
        while len(self._whole) + len(self._slices) > room:
            (self._slices or self._whole).popleft()

    @property
    def n_left_out(self) -> int:
        """Return how many windows of all traffic were forgotten."""
        return self.n_windows - len(self._whole)

    def windows(self) -> tuple[Window, ...]:
        """Return what is remembered, in the order in which it was added."""
        numbered = sorted([*self._whole, *self._slices], key=lambda each: each[0])
        return tuple(window for _, window in numbered)
