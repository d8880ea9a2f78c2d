"""When the change of an alarm began, from the windows of the series that are remembered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.evidence.dating import Gains, GapCounts, gap_gains, onset_in_history, share_gains
from detectors.evidence.group_gaps import closest_tolerated
from detectors.evidence.questions import GapQuestion, MixQuestion, Question, RateQuestion
from detectors.evidence.seasonal import cell_of
from detectors.panels.gaps import GapModel, GapSides
from detectors.panels.mixes import MixModel, MixSides
from detectors.panels.rates import RateModel, RateSides
from monitor.decision.evidence import DatedChange

__all__ = ["REMEMBERED_WINDOWS", "SeenWindow", "dated", "seen_window"]

REMEMBERED_WINDOWS = 128
"""Windows of each series whose counts are kept, to date a change that took long to show."""

Counts = npt.NDArray[np.int64]

_RATES = (1e-9, 1 - 1e-9)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SeenWindow:
    """What one window asked of a series: all that dating needs.

    Parameters
    ----------
    start_us
        Start of the window, microseconds.
    counts
        Outputs by bin, hits and outputs, or hits and outputs by stratum and group (shape
        (2, n_strata, n_groups)); empty if the window could not be asked.
    """

    start_us: int
    counts: Counts

    @property
    def has_outputs(self) -> bool:
        """Return whether there was anything to count."""
        return bool(self.counts.any())


def seen_window(question: Question | None, start_us: int) -> SeenWindow:
    """Return what is remembered of a window."""
    if question is None:
        counts: Counts = np.zeros(0, dtype=np.int64)
    elif isinstance(question, MixQuestion):
        # A copy: the counts may be a view of a whole window.
        counts = np.array(question.counts, dtype=np.int64)
    elif isinstance(question, GapQuestion):
        counts = np.stack([question.hits, question.totals]).astype(np.int64)
    elif isinstance(question, RateQuestion):
        counts = np.array([question.hits, question.total], dtype=np.int64)
    else:
        counts = np.array([question.triggers, question.checked], dtype=np.int64)
    return SeenWindow(start_us=start_us, counts=counts)


def dated(
    model: MixModel | RateModel | GapModel,
    sides: MixSides | RateSides | GapSides,
    row: int,
    reference: Question,
    windows: Sequence[SeenWindow],
) -> DatedChange:
    """Return when the change of an alarm began.

    Parameters
    ----------
    model
        Of the series' panel.
    sides
        What the firing series are held to: the set, the direction, the pair of groups.
    row
        Which series of the panel.
    reference
        The question with the baseline's counts.
    windows
        Of the series, oldest first; the last one raised the alarm.
    """
    starts = np.array([window.start_us for window in windows], dtype=np.int64)
    if isinstance(model, MixModel) and isinstance(sides, MixSides):
        gains = _mix_gains(model, sides, row, windows, starts)
    elif isinstance(model, RateModel) and isinstance(sides, RateSides):
        gains = _rate_gains(model, sides, row, windows, starts)
    elif (
        isinstance(model, GapModel)
        and isinstance(sides, GapSides)
        and isinstance(reference, GapQuestion)
    ):
        gains = _gap_gains(model, sides, row, reference, windows)
    else:
        message = (
            f"model, sides and question must be of one kind, got {type(model).__name__}, "
            f"{type(sides).__name__} and {reference.kind!r}"
        )
        raise TypeError(message)
    onset = onset_in_history(gains)
    ago, earliest = int(onset.windows_ago), int(onset.earliest)
    return DatedChange(
        windows_ago=ago,
        earliest=earliest,
        latest=int(onset.latest),
        n_windows=sum(window.has_outputs for window in windows[-ago - 1 :]),
        may_be_older=earliest == len(windows) - 1,
    )


def _mix_gains(
    model: MixModel, sides: MixSides, row: int, windows: Sequence[SeenWindow], starts: Counts
) -> Gains:
    witness = sides.witness[row]
    counts = np.zeros((len(windows), len(witness)), dtype=np.int64)
    for at, window in enumerate(windows):
        counts[at, : len(window.counts)] = window.counts
    cells = cell_of(starts, model.utc_offset_seconds)
    usual = model.shares[cells, row][:, witness].sum(axis=1)
    return share_gains(
        counts[:, witness].sum(axis=1),
        counts.sum(axis=1),
        usual,
        bound=usual + model.tolerance[row],
        correlation=model.correlation[row],
        repeats=model.repeats[row],
    )


def _rate_gains(
    model: RateModel, sides: RateSides, row: int, windows: Sequence[SeenWindow], starts: Counts
) -> Gains:
    counts = np.array([window.counts if window.counts.size else (0, 0) for window in windows])
    cells = cell_of(starts, model.utc_offset_seconds)
    bound = model.high if sides.way[row] > 0 else model.low
    return share_gains(
        counts[:, 0],
        counts[:, 1],
        model.baseline[cells, row],
        bound=bound[cells, row],
        correlation=model.correlation[row],
        repeats=model.repeats[row],
    )


def _gap_gains(
    model: GapModel,
    sides: GapSides,
    row: int,
    reference: GapQuestion,
    windows: Sequence[SeenWindow],
) -> Gains:
    shape = reference.reference_totals.shape
    nothing = np.zeros((2, *shape), dtype=np.int64)
    counts = np.stack([window.counts if window.counts.size else nothing for window in windows])
    # Positions are those of the panel's widest series.
    low, high = (divmod(int(side[row]), model.shape[1]) for side in (sides.low, sides.high))
    totals = reference.reference_totals
    pooled = float(model.prior_rate[row])
    rates = np.where(totals > 0, reference.reference_hits / np.maximum(totals, 1), pooled)
    usual = closest_tolerated(
        np.clip(rates, *_RATES), totals.astype(np.float64), reference.tolerated
    )
    spread = np.clip(rates, 0.01, 0.99) * (1 - np.clip(rates, 0.01, 0.99)) / np.maximum(totals, 1)
    return gap_gains(
        GapCounts(
            hits=(counts[:, 0, *low], counts[:, 0, *high]),
            totals=(counts[:, 1, *low], counts[:, 1, *high]),
        ),
        float(usual[low] - usual[high]),
        float(np.sqrt(spread[low] + spread[high])),
        float(model.correlation[row]),
    )
