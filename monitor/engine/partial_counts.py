"""The counts of one unit by slice and bucket, within a bound of memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from baselines.packing import decode_counts, encode_counts
from monitor.engine.partition import Counts, PartialKey

__all__ = ["PartialCounts"]

MAX_DENSE_CELLS = 1 << 24
"""Cells that are kept as numbers, 128 MiB; beyond them counts are packed until they change."""


@dataclass(slots=True)
class PartialCounts:
    """Adds counts up key by key.

    A unit may touch many windows of many slices, each as wide as the layout. Most cells are
    zero, so counts that wait for more are packed as soon as there are many of them.

    Parameters
    ----------
    n_cells
        The length of every vector of counts.
    """

    n_cells: int
    _dense: dict[PartialKey, Counts] = field(default_factory=dict)
    _packed: dict[PartialKey, bytes] = field(default_factory=dict)

    def add(self, counted: Iterable[tuple[PartialKey, Counts]]) -> None:
        """Add counts, int64 of shape (n_cells,) each; a key may come any number of times."""
        for key, counts in counted:
            known = self._dense.get(key)
            if known is None and key in self._packed:
                known = decode_counts(self._packed.pop(key), self.n_cells)
            self._dense[key] = counts if known is None else known + counts
            if len(self._dense) * self.n_cells > MAX_DENSE_CELLS:
                self._pack()

    def encoded(self) -> dict[PartialKey, bytes]:
        """Return everything that was added, encoded, in order of key."""
        self._pack()
        return dict(sorted(self._packed.items()))

    def _pack(self) -> None:
        while self._dense:
            key, counts = self._dense.popitem()
            self._packed[key] = encode_counts(counts)
