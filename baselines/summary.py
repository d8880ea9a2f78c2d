"""A window's additive summary: integer counts on the layout's grids."""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.layout import Layout, LayoutMismatchError

__all__ = ["Window", "WindowKey", "WindowSummary"]


@dataclass(frozen=True, eq=False)
class WindowSummary:
    """Counts of the rows of one window.

    Parameters
    ----------
    layout
        The grids that were counted on.
    counts
        Non-negative int64 of shape (layout.n_cells,); made read-only.
    """

    layout: Layout
    counts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.counts.shape != (self.layout.n_cells,) or self.counts.dtype != np.int64:
            message = (
                f"counts must be int64 of shape ({self.layout.n_cells},), "
                f"got {self.counts.dtype} of shape {self.counts.shape}"
            )
            raise ValueError(message)
        self.counts.setflags(write=False)

    @classmethod
    def zero(cls, layout: Layout) -> "WindowSummary":
        """Return the summary of no rows."""
        return cls(layout, np.zeros(layout.n_cells, dtype=np.int64))

    def __add__(self, other: "WindowSummary") -> "WindowSummary":
        if self.layout != other.layout:
            message = (
                f"cannot add summaries of different layouts: {self.layout.id} and "
                f"{other.layout.id}; count both on one baseline"
            )
            raise LayoutMismatchError(message)
        return WindowSummary(self.layout, self.counts + other.counts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WindowSummary):
            return NotImplemented
        return self.layout == other.layout and bool(np.array_equal(self.counts, other.counts))

    def __hash__(self) -> int:
        return hash((self.layout.id, self.counts.tobytes()))

    @property
    def n_rows(self) -> int:
        """Return how many outputs were counted."""
        return int(self.counts[0])

    def table(self, name: str) -> npt.NDArray[np.int64]:
        """Return the counts of one table, shaped by its axes; KeyError if there is none."""
        table = self.layout.table(name)
        start = self.layout.offset(name)
        return self.counts[start : start + table.size].reshape(table.shape)

    def canonical_bytes(self) -> bytes:
        """Return the counts as little-endian int64: equal bytes mean equal summaries."""
        return self.counts.astype("<i8").tobytes()

    @functools.cached_property
    def digest(self) -> str:
        """Return the sha256 of layout id and counts, in hexadecimal.

        Taken once: every finding about a window names it, and wide layouts have megabytes.
        """
        digest = hashlib.sha256(self.layout.id.encode())
        digest.update(self.canonical_bytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, order=True)
class WindowKey:
    """Which window: start and end of event time, and the slice of traffic.

    Parameters
    ----------
    start_us, end_us
        Microseconds since 1970-01-01T00:00Z; the window holds start <= time < end. A count
        window names the times of its first row and just after its last row.
    slice
        ``all``, or ``column=value`` (several joined by ``,``).
    ordinal
        Position among count windows of the slice; 0 for windows of event time.
    """

    start_us: int
    end_us: int
    slice: str = "all"
    ordinal: int = 0

    @property
    def has_times(self) -> bool:
        """Return whether the events have times: without a time column all of them stand at 0."""
        return self.end_us > 1


@dataclass(frozen=True, slots=True)
class Window:
    """A closed window.

    Parameters
    ----------
    key
        Which window.
    summary
        Its counts.
    complete
        False if the log may begin or end inside the window: its volume then says nothing.
    """

    key: WindowKey
    summary: WindowSummary
    complete: bool = True
