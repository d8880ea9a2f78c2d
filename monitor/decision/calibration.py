"""Replay of the detectors on the baseline's own windows, before they watch anything."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.evidence.beta_binomial import Array
from detectors.evidence.calibration import TOLERANCE_STEPS
from detectors.evidence.questions import Question
from detectors.evidence.shiryaev_roberts import EvidenceRule
from detectors.panels.gaps import GapModel
from detectors.panels.mixes import MixModel
from detectors.panels.model import History
from detectors.panels.panel import Panel
from detectors.panels.rates import RateModel
from monitor.decision.evidence import Calibration

__all__ = ["Calibrated", "PanelModel", "calibrated", "replayed"]

PanelModel = MixModel | RateModel | GapModel

_QUIET_MARGIN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What a replay on the baseline showed, and what it took to be quiet.

    Parameters
    ----------
    factors
        What the tolerance of each series is multiplied by, of shape (S,).
    calibrations
        The same in words, with what else was found.
    """

    factors: Array
    calibrations: tuple[Calibration, ...]


def calibrated(
    model: PanelModel,
    histories: Sequence[History],
    *,
    rule: EvidenceRule,
    leak: Array,
    thresholds: Array,
    standing: npt.NDArray[np.bool_] | None = None,
) -> Calibrated:
    """Return by how much tolerances have to be widened for the baseline's windows to be quiet.

    Quiet: the evidence stays three nats below an alarm in every window. Factors 1, 1.25, 1.5,
    2, 3 and 4 are tried in turn on the series that are not quiet yet.

    Parameters
    ----------
    model
        Fitted on the same histories.
    histories
        The baseline's windows of each series.
    rule, leak, thresholds
        As the series will be watched.
    standing
        Series that are beyond tolerance in the baseline itself, of shape (S,): what stands
        there must be called, not tolerated.
    """
    n_series = len(histories)
    factors = np.ones(n_series)
    stands = np.zeros(n_series, dtype=np.bool_) if standing is None else standing
    quiet = np.zeros(n_series, dtype=np.bool_)
    for factor in TOLERANCE_STEPS:
        loud = np.flatnonzero(~quiet & ~stands)
        if len(loud) == 0:
            break
        factors[loud] = factor
        some = model.take(loud.tolist()).widened(factors[loud])
        peaks = replayed(
            Panel(model=some, rule=rule, leak=leak[loud]),
            [histories[row] for row in loud.tolist()],
            thresholds[loud],
        )
        quiet[loud] = peaks < thresholds[loud] - _QUIET_MARGIN
    floors = _floors(model)
    return Calibrated(
        factors=factors,
        calibrations=tuple(
            Calibration(
                n_windows=history.n_windows,
                correlation=float(model.correlation[row]),
                widened=float(factors[row]),
                floor=floors[row],
                quiet=bool(quiet[row]),
                standing=bool(stands[row]),
            )
            for row, history in enumerate(histories)
        ),
    )


def replayed(panel: Panel, histories: Sequence[History], thresholds: Array) -> Array:
    """Return the largest ln R of each series over the baseline's own windows, of shape (S,).

    An alarm counts as infinite.
    """
    times = sorted({start for history in histories for start in history.start_us})
    asked: list[dict[int, Question | None]] = [
        dict(zip(history.start_us, history.questions, strict=True)) for history in histories
    ]
    state = panel.begin(thresholds)
    peaks = np.full(len(histories), -np.inf)
    for start in times:
        questions = [series.get(start) for series in asked]
        state, reading = panel.advance(state, questions, start, thresholds)
        peaks = np.maximum(peaks, np.where(reading.alarm, np.inf, reading.log_r))
    return peaks


def _floors(model: PanelModel) -> list[float | None]:
    """Return the tolerances that the baseline's size raised."""
    if not isinstance(model, MixModel):
        return [None] * model.n_series
    raised = model.tolerance > model.wanted * (1 + 1e-9)
    return [float(t) if up else None for t, up in zip(model.tolerance, raised, strict=True)]
