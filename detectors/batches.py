"""What a detector may add for comparisons of a single batch: a test of its own."""

from typing import Protocol, runtime_checkable

from baselines.reference import Reference
from baselines.summary import Window
from detectors.base import Finding

__all__ = ["TestedInBatches"]


@runtime_checkable
class TestedInBatches(Protocol):
    """A detector whose test of one batch sees more than the interval of its finding.

    Other detectors are tested by their interval: how wide it can be and still be beyond.
    """

    def p_value(self, reference: Reference, window: Window) -> float | None:
        """Return the p-value of "the effect is within the tolerance".

        None if the batch cannot be judged; then `compare_batch` says why.
        """
        ...

    def compare_batch(self, reference: Reference, window: Window) -> Finding:
        """Return what the batch shows: beyond if `p_value` is at most one minus the confidence."""
        ...
