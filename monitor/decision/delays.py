"""How many windows a change of a given size takes to be called, series by series: estimates."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.evidence.beta_binomial import effective_share
from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.planning import (
    windows_for_distribution,
    windows_for_gap,
    windows_for_rate,
)
from detectors.evidence.questions import (
    GapQuestion,
    MixQuestion,
    Question,
    RateQuestion,
    SilenceQuestion,
    Watched,
)
from detectors.evidence.seasonal import cell_of
from detectors.evidence.two_group_gaps import CORRELATION_FACTOR
from detectors.panels.gap_limits import RATES, gap_limit
from detectors.panels.gaps import GapModel
from detectors.panels.mixes import MixModel
from detectors.panels.model import History, Model
from detectors.panels.rates import RateModel

__all__ = ["Change", "expected_delays"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One way in which a series can leave its tolerance.

    Parameters
    ----------
    what
        ``shift`` of a mix, ``rise`` or ``fall`` of a rate, or which group's rate is lower or
        higher than that of the others: the group with the fewest outputs, which takes longest.
    windows
        Windows until the alarm, one for each size that was asked for: infinite where the
        evidence cannot reach an alarm, None where no such change is possible.
    """

    what: str
    windows: tuple[float | None, ...]


def expected_delays(
    model: Model[Any, Any],
    row: int,
    reference: Question,
    history: History,
    *,
    log_threshold: float,
    sizes: Sequence[float],
) -> tuple[Change, ...]:
    """Return how long changes of a series take to be called, by what the baseline shows.

    Sizes are multiples of the tolerance that the user asked for, as departures of findings
    are: differences are multiplied, ratios are raised to the power. The evidence is held
    against the tolerance in use. A window has as many outputs as the baseline's windows.

    Parameters
    ----------
    model
        As the series is watched, widened tolerances included.
    row
        Which series of the model.
    reference
        The question with the baseline's counts, and the tolerance asked for.
    history
        The baseline's own windows; at least one with outputs.
    log_threshold
        ln c of the series.
    sizes
        Multiples of the tolerance, above 1.

    Returns
    -------
    tuple of Change
        Ways in which no size is possible are left out.
    """
    changes: Iterator[Change]
    if isinstance(model, MixModel) and isinstance(reference, MixQuestion):
        changes = _of_mix(model, row, log_threshold, sizes)
    elif isinstance(model, RateModel) and isinstance(reference, RateQuestion | SilenceQuestion):
        changes = _of_rate(_Rate.of(model, row, reference, history), log_threshold, sizes)
    elif isinstance(model, GapModel) and isinstance(reference, GapQuestion):
        groups = _Groups.of(model, row, reference, history)
        changes = _of_gap(model, groups, reference.tolerated, log_threshold, sizes)
    else:
        message = (
            f"model and question must be of one kind, got {type(model).__name__} and "
            f"{reference.kind!r}"
        )
        raise TypeError(message)
    return tuple(change for change in changes if any(each is not None for each in change.windows))


def _of_mix(
    model: MixModel, row: int, log_threshold: float, sizes: Sequence[float]
) -> Iterator[Change]:
    shares = model.shares[:, row].mean(axis=0)
    furthest = 1 - float(shares[shares > 0].min())
    events = model.window_events[row] / model.repeats[row]
    moved = [size * float(model.wanted[row]) for size in sizes]
    tolerance = model.tolerance[row]
    yield Change(
        what="shift",
        windows=tuple(
            float(windows_for_distribution(one, tolerance, events, log_threshold))
            if one <= furthest
            else None
            for one in moved
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rate:
    """A rate in a usual window, and what is tolerated of it."""

    usual: float
    low: float
    high: float
    events: float
    watched: Watched
    ratio: float | None
    difference: float | None

    @classmethod
    def of(
        cls,
        model: RateModel,
        row: int,
        reference: RateQuestion | SilenceQuestion,
        history: History,
    ) -> "_Rate":
        totals = np.array([_total(question) for question in history.questions])
        starts = np.array(history.start_us, dtype=np.int64)[totals > 0]
        cells = cell_of(starts, model.utc_offset_seconds)
        size = float(np.median(totals[totals > 0]))
        usual = float(model.baseline[cells, row].mean())
        share = float(effective_share(size, model.correlation[row]))
        watched, ratio, difference = _tolerated(reference, usual)
        return cls(
            usual=usual,
            low=float(model.low[cells, row].mean()),
            high=float(model.high[cells, row].mean()),
            events=size * share / float(model.repeats[row]),
            watched=watched,
            ratio=ratio,
            difference=difference,
        )

    def after(self, size: float, way: int) -> float:
        """Return the rate that has departed so far: beyond every tolerance that is set."""
        rates: list[float] = []
        if self.difference is not None:
            rates.append(self.usual + way * size * self.difference)
        if self.ratio is not None:
            rates.append(self.usual * self.ratio ** (way * size))
        return way * max(way * rate for rate in rates)


def _tolerated(
    reference: RateQuestion | SilenceQuestion, usual: float
) -> tuple[Watched, float | None, float | None]:
    """Return which way counts, and the ratio and the difference that are accepted."""
    if isinstance(reference, SilenceQuestion):
        return Watched.DOWN, None, usual * reference.tolerance
    return reference.watched, reference.tolerance_ratio, reference.tolerance_difference


def _total(question: Question | None) -> int:
    if isinstance(question, RateQuestion):
        return question.total
    return question.checked if isinstance(question, SilenceQuestion) else 0


def _of_rate(rate: _Rate, log_threshold: float, sizes: Sequence[float]) -> Iterator[Change]:
    for what, way, other in (("rise", 1, Watched.DOWN), ("fall", -1, Watched.UP)):
        if rate.watched is not other:
            yield Change(
                what=what,
                windows=tuple(_rate_delay(rate, size, way, log_threshold) for size in sizes),
            )


def _rate_delay(rate: _Rate, size: float, way: int, log_threshold: float) -> float | None:
    after = rate.after(size, way)
    # A fall to nothing is possible where the tolerance is just the rate, but for rounding.
    after = 0.0 if abs(after) < RATES[0] ** 2 else after
    if not 0 <= after <= 1 or after == rate.usual:
        return None
    bound = rate.high if way > 0 else rate.low
    if not 0 < bound < 1 or way * (after - bound) <= 0:
        return math.inf
    return float(windows_for_rate(after, bound, rate.events, log_threshold))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Groups:
    """The group with the fewest outputs against the others, in the largest stratum."""

    name: str
    rate: float
    outputs: tuple[float, float]
    effective: tuple[float, float]

    @classmethod
    def of(
        cls, model: GapModel, row: int, reference: GapQuestion, history: History
    ) -> "_Groups | None":
        known = reference.reference_totals
        stratum = int(known.sum(axis=1).argmax())
        hits, totals = reference.reference_hits[stratum], known[stratum]
        groups = np.flatnonzero(totals > 0)
        if len(groups) < 2:
            return None
        smallest = int(groups[totals[groups].argmin()])
        asked = [each for each in history.questions if isinstance(each, GapQuestion)]
        windows = np.array([each.totals[stratum] for each in asked]).mean(axis=0)
        few = float(windows[smallest])
        outputs = few, float(windows.sum()) - few
        rho = min(CORRELATION_FACTOR * float(model.correlation[row]), 1.0)
        shares = effective_share(np.array(outputs), rho)
        return cls(
            name=reference.groups[smallest],
            rate=float((hits.sum() + 0.5) / (totals.sum() + 1)),
            outputs=outputs,
            effective=(outputs[0] * float(shares[0]), outputs[1] * float(shares[1])),
        )

    def after(self, tolerated: ToleratedGap, size: float, *, lower: bool) -> tuple[float, float]:
        """Return the rates of the group and of the others; the common rate is kept."""
        share = self.outputs[0] / sum(self.outputs)
        if tolerated.kind is GapTolerance.RATIO:
            ratio = tolerated.limit ** (size if lower else -size)
            others = self.rate / (share * ratio + 1 - share)
            return ratio * others, others
        gap = tolerated.limit * (size if lower else -size)
        return self.rate - (1 - share) * gap, self.rate + share * gap


def _of_gap(
    model: GapModel,
    groups: _Groups | None,
    wanted: ToleratedGap,
    log_threshold: float,
    sizes: Sequence[float],
) -> Iterator[Change]:
    if groups is None or wanted.kind is GapTolerance.EQUALITY:
        return
    for lower in (True, False):
        rates = [groups.after(wanted, size, lower=lower) for size in sizes]
        yield Change(
            what=f"{groups.name} {'lower' if lower else 'higher'}",
            windows=tuple(_gap_delay(model, groups, one, log_threshold) for one in rates),
        )


def _gap_delay(
    model: GapModel, groups: _Groups, rates: tuple[float, float], log_threshold: float
) -> float | None:
    if not all(0 <= rate <= 1 for rate in rates):
        return None
    # The limit is a half-plane: the group with the higher rate comes first.
    order = (0, 1) if rates[0] > rates[1] else (1, 0)
    first, second = (float(np.clip(rates[at], *RATES)) for at in order)
    windows = windows_for_gap(
        (first, second),
        (groups.effective[order[0]], groups.effective[order[1]]),
        gap_limit(model.tolerated),
        log_threshold,
    )
    return float(windows) + model.learning
