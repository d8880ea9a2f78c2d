"""What is known of a score in a bin: a typical value, and between which values it lies."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.layout import NumericAxis

__all__ = ["BinValues", "bin_values", "probability_bins"]

Array = npt.NDArray[np.float64]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BinValues:
    """Values of the finite codes of a numeric axis: underflow, the bins, overflow.

    Parameters
    ----------
    centre
        The value that stands for every row of the bin, of shape (n_bins + 2,).
    low, high
        Between which values the rows lie, of the same shape.
    """

    centre: Array
    low: Array
    high: Array

    @property
    def error(self) -> Array:
        """Return how far a row can be from the centre of its bin, of shape (n_bins + 2,)."""
        return np.maximum(self.centre - self.low, self.high - self.centre)


def bin_values(axis: NumericAxis) -> BinValues:
    """Return the values of an axis's bins; rows outside all of them count as at the edge."""
    edges = axis.edges
    first, last = edges[:1], edges[-1:]
    return BinValues(
        centre=np.concatenate([first, axis.centres, last]),
        low=np.concatenate([first, edges[:-1], last]),
        high=np.concatenate([first, edges[1:], last]),
    )


def probability_bins(axis: NumericAxis) -> BinValues | None:
    """Return the values of an axis's bins for a score in [0, 1]; None if it is not in there.

    Underflow then lies between 0 and the first edge, overflow between the last edge and 1.
    """
    edges = axis.edges.clip(0.0, 1.0)
    if np.abs(edges - axis.edges).max() > _ROUNDING:
        return None
    low = np.concatenate([[0.0], edges])
    high = np.concatenate([edges, [1.0]])
    inside = np.concatenate([[edges[0] / 2], axis.centres, [edges[-1] / 2 + 0.5]])
    return BinValues(centre=inside.clip(low, high), low=low, high=high)
