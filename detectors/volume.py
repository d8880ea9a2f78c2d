"""Whether the number of outputs is unusual: against the baseline's own windows."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at
import numpy as np
import numpy.typing as npt
from scipy import special

from baselines.layout import TableNeed
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window, WindowKey
from detectors.base import Direction, Estimate, Finding, Measure
from detectors.comparison import Comparison
from detectors.intervals import RATIO_LIMIT
from detectors.options import CommonOptions
from detectors.rates import Watch
from detectors.registry import detector
from detectors.wording import rows_text, times_text

__all__ = ["Volume"]

_HOUR_US = 3_600_000_000
_THURSDAY = 3
_SATURDAY = 5


@detector
@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(CommonOptions):
    """Compares the number of outputs with the baseline's windows of the same length.

    Normal is the median of the windows that began in the same hour of the day (UTC), weekend
    or not, where there are `min_windows` of them, else of all. The bounds allow for chance
    (exact Poisson bounds [1]_), for how much the baseline's windows vary beyond chance
    (variance ``m + a m**2``, `a` by moments [2]_) and for the median's own error; they are
    joined on the logarithmic scale.

    It is decided by its interval in each window; there is no false-alarm guarantee.

    Parameters
    ----------
    tolerance_ratio
        The accepted ratio of the larger to the smaller number, above 1: 2 is half or double.
    direction
        Which way counts: ``up``, ``down`` or ``both``.
    min_windows
        The least number of windows of the baseline to compare with.
    min_rows
        The least normal number of outputs in a window.

    References
    ----------
    .. [1] F. Garwood, Biometrika 28 (1936), 437-442.
    .. [2] A. C. Cameron and P. K. Trivedi, Regression Analysis of Count Data, CUP, 2013,
       ch. 3.3.
    """

    name: ClassVar[str] = "volume"
    tolerance_ratio: Annotated[float, at.Gt(1), at.Le(1000)] = 2.0
    direction: Watch = "both"
    min_windows: Annotated[int, at.Ge(4)] = 8
    min_rows: Annotated[int, at.Ge(1)] = 20

    @property
    def series(self) -> str:
        """Return the name of the series, unique within a monitor."""
        return f"{self.name}({'outputs' if self.direction == 'both' else self.direction})"

    def tables(self, schema: Schema) -> tuple[TableNeed, ...]:
        """Return nothing: rows are counted in every layout."""
        return ()

    def compare(self, reference: Reference, window: Window) -> Finding:
        """Return what the window shows against the reference."""
        blank = Comparison(
            detector=self,
            columns=(),
            tolerance=self.tolerance_ratio,
            unit="times (larger over smaller number of outputs)",
        ).with_rows(window.summary.n_rows, reference.summary.n_rows)
        if window.key.ordinal or any(past.key.ordinal for past in reference.history):
            return blank.insufficient(
                "windows of a fixed number of outputs have no volume; use windows of time"
            )
        if not window.complete:
            return blank.insufficient(
                "the log may begin or end inside this window; its outputs are not all there"
            )
        past = _comparable(window.key, reference.history, self.min_windows)
        if len(past) < self.min_windows:
            return blank.insufficient(
                f"the baseline has {len(past)} windows as long as this one, "
                f"a comparison needs {self.min_windows}"
            )
        normal = float(np.median(past))
        if normal < self.min_rows:
            return blank.insufficient(
                f"the baseline's windows have {rows_text(round(normal))}, "
                f"a comparison needs {self.min_rows}"
            )
        if window.summary.n_rows == 0:
            sentence = f"no outputs at all, normal are {rows_text(round(normal))}"
            return dataclasses.replace(blank.cannot_see(sentence), headline="any output")
        return self._decide(blank, window.summary.n_rows, past)

    def _decide(
        self, comparison: Comparison, n_rows: int, past: npt.NDArray[np.float64]
    ) -> Finding:
        normal = float(np.median(past))
        log_ratio = _log_ratio(n_rows, past, self.confidence)
        rose = log_ratio.value >= 0
        upwards = self.direction == "up" or (self.direction == "both" and rose)
        if not upwards:
            log_ratio = Estimate(-log_ratio.value, -log_ratio.high, -log_ratio.low)
        effect = Estimate(*map(math.exp, (log_ratio.value, log_ratio.low, log_ratio.high)))
        departure = log_ratio.scaled(1 / math.log(self.tolerance_ratio))
        accepted = times_text(self.tolerance_ratio, exact=True)
        word = "more" if upwards else "fewer"
        seen = f"{rows_text(n_rows)}, normal are {rows_text(round(normal))}"
        if departure.low > 1:
            sentence = (
                f"{seen}: {times_text(effect.value)} {word} (at least "
                f"{times_text(effect.low)}), {accepted} accepted"
            )
        else:
            sentence = f"{seen}: not shown to be beyond the accepted {accepted}"
        changed = Direction.UP if rose else Direction.DOWN
        return comparison.decided(
            effect=effect,
            departure=departure,
            direction=Direction.NONE if n_rows == normal else changed,
            headline=seen,
            sentence=sentence,
            measures=(
                Measure("outputs", float(n_rows)),
                Measure("normal_outputs", normal),
                Measure("baseline_windows", float(len(past))),
                Measure("extra_variation", math.sqrt(_extra_variance(past))),
            ),
        )


def _comparable(
    key: WindowKey, history: Sequence[Window], min_windows: int
) -> npt.NDArray[np.float64]:
    """Return the rows of the baseline's windows to compare with, shape (n_windows,)."""
    length = key.end_us - key.start_us
    same = [
        past for past in history if past.complete and past.key.end_us - past.key.start_us == length
    ]
    cell = [past for past in same if _cell(past.key) == _cell(key)]
    chosen = cell if len(cell) >= min_windows else same
    return np.array([past.summary.n_rows for past in chosen], dtype=np.float64)


def _cell(key: WindowKey) -> tuple[int, bool]:
    """Return the hour of the day, UTC, that a window begins in, and whether it is weekend."""
    hours = key.start_us // _HOUR_US
    weekday = (hours // 24 + _THURSDAY) % 7
    return hours % 24, weekday >= _SATURDAY


def _extra_variance(past: npt.NDArray[np.float64]) -> float:
    """Return `a` of the variance ``m + a m**2``, never negative."""
    mean = float(past.mean())
    return max((float(past.var(ddof=1)) - mean) / mean**2, 0.0)


def _log_ratio(n_rows: int, past: npt.NDArray[np.float64], confidence: float) -> Estimate:
    """Return the natural logarithm of rows over normal rows, for at least one row."""
    tail, n_windows = (1 - confidence) / 2, len(past)
    normal = float(np.median(past))
    poisson_low = float(special.gammaincinv(n_rows, tail))
    poisson_high = float(special.gammaincinv(n_rows + 1, 1 - tail))
    extra = _extra_variance(past)
    # A median of n normal values varies pi / 2 times as much as their mean.
    median = math.pi / 2 * (extra + 1 / normal) / n_windows
    quantile = float(special.stdtrit(n_windows - 1, 1 - tail))
    wobble = quantile * math.sqrt(extra + median)
    value = math.log(n_rows / normal)
    low = value - math.hypot(math.log(n_rows / poisson_low), wobble)
    high = value + math.hypot(math.log(poisson_high / n_rows), wobble)
    limit = math.log(RATIO_LIMIT)
    return Estimate(*(min(max(bound, -limit), limit) for bound in (value, low, high)))
