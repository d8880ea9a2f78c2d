"""What a detector asks of one window, as counts: the input of every evidence process.

A question holds what the window showed, what the baseline showed, and what the user tolerates.
It is made by a pure function of (reference, window); the processes that gather evidence over
windows see nothing else.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from detectors.evidence.group_gaps import ToleratedGap

__all__ = ["GapQuestion", "MixQuestion", "Question", "RateQuestion", "SilenceQuestion", "Watched"]

Counts = npt.NDArray[np.int64]


class Watched(StrEnum):
    """Which way a rate may go too far."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateQuestion:
    """Whether a rate has left its tolerance around the baseline's rate.

    Parameters
    ----------
    hits, total
        The window: `hits` of `total` outputs, 0 <= hits <= total.
    reference_hits, reference_total
        The same of the baseline.
    tolerance_ratio
        The accepted ratio of the larger to the smaller rate, above 1; None: no such limit.
    tolerance_difference
        The accepted difference of rates, above 0; None: no such limit. With both set, a rate
        is out of tolerance only if it is beyond both.
    watched
        Which way counts.
    repeats
        How many times one output may have been counted, at most: where the checks of a
        filter's categories are pooled, as many times as there are categories. Counts of the
        same output may be equal, so at no correlation the evidence is that of the counts
        divided by this.
    """

    kind: Literal["rate"] = "rate"
    hits: int
    total: int
    reference_hits: int
    reference_total: int
    tolerance_ratio: float | None = None
    tolerance_difference: float | None = None
    watched: Watched = Watched.BOTH
    repeats: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixQuestion:
    """Whether more outputs than tolerated left the baseline's mix of bins or levels.

    Parameters
    ----------
    counts, reference
        Outputs by bin of the window and of the baseline, int64 of shape (n_bins,), on groups
        of bins that the baseline fixed.
    tolerance
        The accepted share of outputs that moved (total variation), in (0, 1).
    ordered
        Whether the bins have an order.
    repeats
        As in `RateQuestion`.
    """

    kind: Literal["mix"] = "mix"
    counts: Counts
    reference: Counts
    tolerance: float
    ordered: bool
    repeats: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GapQuestion:
    """Whether the rates of groups differ by more than tolerated.

    Parameters
    ----------
    hits, totals
        Positives and outputs of the window by stratum and group, int64 of shape
        (n_strata, n_groups); one stratum where nothing is conditioned on. The groups are those
        of the layout, in its order; a group without outputs has total 0.
    reference_hits, reference_totals
        The same of the baseline.
    tolerated
        The set of rates that the user accepts.
    groups
        The groups' names, of length n_groups.
    """

    kind: Literal["gap"] = "gap"
    hits: Counts
    totals: Counts
    reference_hits: Counts
    reference_totals: Counts
    tolerated: ToleratedGap
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceQuestion:
    """Whether something that normally triggers has fallen silent, or nearly.

    Parameters
    ----------
    triggers, checked
        The window: triggers among the outputs that were checked.
    reference_triggers, reference_checked
        The same of the baseline.
    tolerance
        The accepted loss of triggers as a share of the normal rate, in (0, 1).
    repeats
        As in `RateQuestion`.
    """

    kind: Literal["silence"] = "silence"
    triggers: int
    checked: int
    reference_triggers: int
    reference_checked: int
    tolerance: float
    repeats: int = 1


Question = RateQuestion | MixQuestion | GapQuestion | SilenceQuestion
