"""Alarms at the very edge of what is tolerated, where the guarantee is tightest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from benchmarks.simulation.families import FAMILIES, Categories, Family, Gap, Rate
from benchmarks.simulation.tables import number, table
from benchmarks.simulation.worlds import MONDAY_US, WINDOW_US, Conditions
from detectors.evidence.shiryaev_roberts import EvidenceRule, leak_windows
from detectors.panels.gaps import GapModel
from detectors.panels.mixes import MixModel
from detectors.panels.model import History
from detectors.panels.panel import Panel
from detectors.panels.rates import RateModel

__all__ = ["AtBoundary", "at_boundary", "boundary_table"]

N_OUTPUTS = 1_000
_HISTORY = 400
_REFERENCE = 10_000_000


@dataclass(frozen=True, slots=True)
class AtBoundary:
    """Alarms, and the number that the guarantee allows in mean: windows watched over c."""

    alarms: int
    allowed: float


def edge_of(family: Family) -> float:
    """Return the largest change that is still tolerated."""
    if isinstance(family, Rate):
        return family.tolerance_ratio - 1
    if isinstance(family, Gap):
        limit = family.tolerated.limit
        return limit if len(family.shares) == 2 else 1 - limit
    if isinstance(family, Categories):
        return family.tolerance
    return float(2 * special.ndtri(0.5 + 0.05 / 2))


def at_boundary(
    family: Family,
    *,
    threshold: float,
    n_series: int,
    n_windows: int,
    correlation: float = 0.0,
    seed: int = 20261124,
) -> AtBoundary:
    """Return the alarms of series that stand at the edge of their tolerance all the time.

    The baseline is large, so that the edge is the true one; the correlation is measured on
    400 windows of it.

    Parameters
    ----------
    family
        What is watched.
    threshold
        c.
    n_series, n_windows
        Of the stream; windows have 1,000 outputs.
    correlation
        Of two outputs of one window.
    seed
        Of the draws.
    """
    rng = np.random.default_rng([seed, 5])
    panel = _panel(family, threshold, n_series, correlation, rng)
    log_threshold = np.full(n_series, np.log(threshold))
    state = panel.begin(log_threshold)
    reference = _reference(family, rng)
    alarms, watched = 0, 0
    for window in range(n_windows):
        given = _calm(1, n_series, correlation)
        counts = family.asked(family.draw(given, np.full(1, edge_of(family)), rng)[0])
        asked = [family.question(row, reference) for row in counts]
        watched += int((~state.firing).sum())
        start = MONDAY_US + window * WINDOW_US
        state, reading = panel.advance(state, asked, start, log_threshold)
        alarms += int(reading.alarm.sum())
    return AtBoundary(alarms, watched / threshold)


def _panel(
    family: Family, threshold: float, n_series: int, correlation: float, rng: np.random.Generator
) -> Panel:
    reference = _reference(family, rng)
    drawn = family.draw(_calm(_HISTORY, 1, correlation), np.zeros(_HISTORY), rng)
    past = family.asked(drawn[:, 0])
    # All windows of the history in one hour would make a cell of its own; they are spread.
    history = History(
        start_us=tuple(MONDAY_US + hour * 3_600_000_000 for hour in range(_HISTORY)),
        questions=tuple(family.question(counts, reference) for counts in past),
    )
    kinds: Mapping[str, Any] = {"mix": MixModel, "rate": RateModel, "gap": GapModel}
    question = family.question(reference, reference)
    model = kinds[question.kind].calibrated([question] * n_series, [history] * n_series)
    logs = np.full(n_series, np.log(threshold))
    return Panel(
        model=model,
        rule=EvidenceRule(min_windows=family.min_windows),
        leak=leak_windows(np.full(n_series, 288.0), logs),
    )


def _reference(family: Family, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    given = _calm(1, 1, 0.0, _REFERENCE)
    return family.asked(family.draw(given, np.zeros(1), rng)[0, 0])


def _calm(
    n_windows: int, n_series: int, correlation: float, n_outputs: int = N_OUTPUTS
) -> Conditions:
    nothing = np.zeros((n_windows, n_series))
    return Conditions(
        first=0,
        totals=np.full(n_windows, n_outputs, dtype=np.int64),
        common=nothing,
        apart=nothing,
        burst=nothing > 0,
        correlation=correlation,
    )


def boundary_table(n_series: int = 100, n_windows: int = 1_000) -> str:
    """Return alarms and what is allowed, by family, threshold and correlation."""
    rows = []
    for family in FAMILIES:
        for correlation in (0.0, 0.002):
            cells = []
            for threshold in (200.0, 2_000.0):
                found = at_boundary(
                    family,
                    threshold=threshold,
                    n_series=n_series,
                    n_windows=n_windows,
                    correlation=correlation,
                )
                share = 100 * found.alarms / found.allowed
                cells.append(f"{found.alarms} of {number(round(found.allowed))} ({share:.0f} %)")
            rows.append([f"{family.name}, correlation {correlation:g}", *cells])
    return table(["series", "c = 200: alarms of allowed", "c = 2,000: alarms of allowed"], rows)
