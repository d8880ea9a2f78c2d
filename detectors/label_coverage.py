"""How mature numbers are that need labels: the share of outputs whose label has arrived."""

import numpy as np
import numpy.typing as npt

from baselines.layout import Axis
from detectors.outcomes import counted_codes
from detectors.wording import count_text, rows_text, share_text

__all__ = ["label_note", "n_with_label"]


def n_with_label(counts: npt.NDArray[np.int64], axis: Axis) -> int:
    """Return the rows that have a label.

    Parameters
    ----------
    counts
        Of any shape whose last axis is the label's.
    axis
        The label's axis.
    """
    return int(counts[..., counted_codes(axis)].sum())


def label_note(n_labelled: int, n_seen: int) -> tuple[str, ...]:
    """Return how many of a window's outputs have a label, nothing if all of them have one.

    Parameters
    ----------
    n_labelled, n_seen
        Outputs with a label, and all outputs.

    Examples
    --------
    >>> label_note(744, 1200), label_note(5, 5)
    (('labels for 744 of 1 200 outputs (62 %) have arrived',), ())
    """
    if n_labelled >= n_seen:
        return ()
    share = "nearly all" if n_labelled / n_seen > 0.99 else share_text(n_labelled / n_seen)
    return (f"labels for {count_text(n_labelled)} of {rows_text(n_seen)} ({share}) have arrived",)
