"""The peers' scenario: quiet and mildly drifted panels, in comparison and in monitoring."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.layout import NumericAxis
from baselines.summary import Window
from benchmarks.simulation.tables import number, table
from benchmarks.simulation.tabular import CATEGORIES, NUMERIC, WINDOW_ROWS, Panels, drawn
from benchmarks.simulation.worlds import Array
from detectors.base import Detector
from detectors.distribution_shift import DistributionShift
from detectors.evidence.false_discoveries import adjusted_p_values, benjamini_yekutieli
from detectors.evidence.fixed_sample import total_variation_p_value
from detectors.evidence.questions import MixQuestion
from detectors.rank_shift import RankShift
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.evidence import EvidenceEvent
from monitor.decision.state import SeriesKey
from monitor.decision.surveillance import Surveillance
from monitor.engine.comparing import p_value

__all__ = [
    "Compared",
    "PValues",
    "comparison_trial",
    "delay_of",
    "flagged_panels",
    "monitoring_trial",
    "panel_p_values",
    "peers_tables",
]

COLUMNS = (*NUMERIC, *CATEGORIES)
DRIFTED = ("n0", "n1", "c2")
NO_TOLERANCE = 1e-6
ONE_IN_TWENTY_WINDOWS = FalseAlarmBudget(incidents=1.2, days=1.0)
"""1.2 false incidents in 24 windows of an hour: a panel in twenty."""

_RATE = 0.05
PValues = Callable[[Panels, Window], Sequence[float]]


@dataclass(slots=True)
class Compared:
    """Panels that a rule flagged: any column, and a column that did drift."""

    panels: int = 0
    flagged: int = 0
    right: int = 0

    def add(self, named: Sequence[str]) -> None:
        """Count a panel, given the columns that were named."""
        self.panels += 1
        self.flagged += bool(named)
        self.right += any(name in DRIFTED for name in named)


def shifts(tolerance: float) -> list[DistributionShift]:
    """Return the detector of every column."""
    return [DistributionShift(column=name, tolerance=tolerance) for name in COLUMNS]


def by_mix(panels: Panels, window: Window) -> list[float]:
    """Return p-values of `distribution_shift` as the comparison of a log has them."""
    return _as_a_log_has_them(shifts(NO_TOLERANCE), panels, window)


def by_default_tolerance(panels: Panels, window: Window) -> list[float]:
    """Return the same with the tolerance that is the default: the drift is within it."""
    return _as_a_log_has_them([DistributionShift(column=name) for name in COLUMNS], panels, window)


def by_ranks(panels: Panels, window: Window) -> list[float]:
    """Return p-values of `rank_shift` for numbers and of `distribution_shift` for levels."""
    detectors: list[Detector] = [
        RankShift(column=name, tolerance=NO_TOLERANCE)
        if name in NUMERIC
        else DistributionShift(column=name, tolerance=NO_TOLERANCE)
        for name in COLUMNS
    ]
    return _as_a_log_has_them(detectors, panels, window)


def _as_a_log_has_them(
    detectors: Sequence[Detector], panels: Panels, window: Window
) -> list[float]:
    found = [p_value(one, panels.reference, window) for one in detectors]
    return [1.0 if p is None else p for p in found]


def by_exact_test(panels: Panels, window: Window) -> list[float]:
    """Return p-values of the exact test of total variation, against no tolerance."""
    p_values = []
    for detector in shifts(NO_TOLERANCE):
        question = detector.question(panels.reference, window)
        if not isinstance(question, MixQuestion):
            message = f"a window with values asks for a mix, got {question!r}"
            raise TypeError(message)
        p = total_variation_p_value(
            question.reference, question.counts, 0.0, ordered=question.ordered
        )
        p_values.append(float(p))
    return p_values


def by_means(panels: Panels, window: Window) -> list[float]:
    """Return p-values of Welch's t from the counts, and of the chi-square test of levels."""
    from scipy import stats

    p_values = []
    for name in COLUMNS:
        axis = panels.layout.table(name).axes[0]
        expected, observed = (
            summary.table(name)[axis.values]
            for summary in (panels.reference.summary, window.summary)
        )
        if isinstance(axis, NumericAxis):
            moments = [_moments(counts, _middles(axis)) for counts in (expected, observed)]
            (m1, s1, n1), (m2, s2, n2) = moments
            p = stats.ttest_ind_from_stats(m1, s1, n1, m2, s2, n2, equal_var=False).pvalue
        else:
            both = np.stack([expected, observed])
            p = stats.chi2_contingency(both[:, both.sum(axis=0) > 0])[1]
        p_values.append(float(p))
    return p_values


def _middles(axis: NumericAxis) -> Array:
    return np.concatenate([axis.edges[:1], axis.centres, axis.edges[-1:]])


def _moments(counts: npt.NDArray[np.int64], values: Array) -> tuple[float, float, int]:
    n = int(counts.sum())
    mean = float((counts * values).sum() / n)
    return mean, float(np.sqrt((counts * (values - mean) ** 2).sum() / (n - 1))), n


def bonferroni(p_values: Sequence[float]) -> Array:
    """Return p-values times their number: at most 5 % of quiet panels have one up to 0.05."""
    return np.minimum(np.array(p_values) * len(p_values), 1.0)


def comparison_trial(
    p_values: PValues,
    n_panels: int,
    seed: int,
    *,
    drift: bool,
    n_references: int = 10,
) -> Compared:
    """Return how many panels are flagged, one window each, with adjusted p up to 5 %."""
    drawn_values = panel_p_values(p_values, n_panels, seed, drift=drift, n_references=n_references)
    return flagged_panels(drawn_values, adjusted_p_values)


def panel_p_values(
    p_values: PValues, n_panels: int, seed: int, *, drift: bool, n_references: int
) -> list[Sequence[float]]:
    """Return the p-values of panels, of one window each, beside so many references in turn."""
    rng = np.random.default_rng([seed, drift])
    found: list[Sequence[float]] = []
    for _ in range(n_references):
        panels = Panels.fitted(shifts(NO_TOLERANCE), 10_000, rng)
        for _ in range(n_panels // n_references):
            window = panels.window(drawn(WINDOW_ROWS, rng, drift=drift), 100)
            found.append(p_values(panels, window))
    return found


def flagged_panels(
    found: Sequence[Sequence[float]], adjust: Callable[[Sequence[float]], Array]
) -> Compared:
    """Return how many panels have a column whose adjusted p-value is at most 5 %."""
    result = Compared()
    for p_values in found:
        adjusted = adjust(p_values)
        result.add([name for name, p in zip(COLUMNS, adjusted, strict=True) if p <= _RATE])
    return result


def monitoring_trial(
    tolerance: float,
    budget: FalseAlarmBudget,
    *,
    n_rows: int,
    n_streams: int,
    seed: int,
    n_quiet: int = 20,
    n_drifted: int = 3,
    n_references: int = 10,
) -> tuple[Compared, list[Compared]]:
    """Return quiet panels flagged, and streams flagged within 1, 2, ... drifted windows."""
    rng = np.random.default_rng([seed, 7])
    detectors = shifts(tolerance)
    quiet, drifted = Compared(), [Compared() for _ in range(n_drifted)]
    for _ in range(n_references):
        panels = Panels.fitted(detectors, n_rows, rng)
        for _ in range(n_streams // n_references):
            monitor = panels.monitor(detectors, budget)
            named: set[str] = set()
            for hour in range(n_quiet + n_drifted):
                rows = drawn(WINDOW_ROWS, rng, drift=hour >= n_quiet)
                window = panels.window(rows, 2_000 + hour)
                new = _alarms(monitor, panels, detectors, window)
                if hour < n_quiet:
                    quiet.add(new)
                else:
                    named.update(new)
                    drifted[hour - n_quiet].add(sorted(named))
    return quiet, drifted


def _alarms(
    monitor: Surveillance, panels: Panels, detectors: Sequence[DistributionShift], window: Window
) -> list[str]:
    asked = {SeriesKey(d.series): d.question(panels.reference, window) for d in detectors}
    found = monitor.advance(asked, window.key.start_us)
    return [
        detector.column
        for detector in detectors
        if found[SeriesKey(detector.series)].event is EvidenceEvent.ALARM
    ]


def delay_of(detector: Detector, seed: int, **change: object) -> int | None:
    """Return the window, from 1, in which a detector with its defaults first alarms, if in 20.

    Parameters
    ----------
    detector
        Watched under the default budget, beside a reference of 10,000 rows.
    seed
        Of the draws; ten quiet windows come first.
    change
        What `drawn` is told from the change on.
    """
    rng = np.random.default_rng([seed, 8])
    panels = Panels.fitted([detector], 10_000, rng)
    monitor = panels.monitor([detector], FalseAlarmBudget())
    key = SeriesKey(detector.series)
    for hour in range(30):
        rows = drawn(WINDOW_ROWS, rng, **(change if hour >= 10 else {}))
        window = panels.window(rows, 2_000 + hour)
        question = detector.question(panels.reference, window)
        if monitor.advance({key: question}, window.key.start_us)[key].event is EvidenceEvent.ALARM:
            return hour - 9
    return None


def peers_tables() -> dict[str, str]:
    """Return the tables of the scenario."""
    return {"comparison": _comparison_table(), "monitoring": _monitoring_table()}


_ADJUSTMENTS: dict[str, Callable[[Sequence[float]], Array]] = {
    "ours": adjusted_p_values,
    "Benjamini-Yekutieli": benjamini_yekutieli,
    "Bonferroni": bonferroni,
}

_RULES: dict[str, PValues] = {
    "**outputwatch: `distribution_shift`**": by_mix,
    "**outputwatch: `rank_shift` for numbers**": by_ranks,
    "`distribution_shift`, its default tolerance of 10 %": by_default_tolerance,
    "bounds for samples of any size": by_exact_test,
    "Welch's t from the counts, chi-square of levels": by_means,
}


def _comparison_table(n_panels: int = 1_000, seed: int = 20261124) -> str:
    rows = []
    for name, rule in _RULES.items():
        quiet, drifted = (
            panel_p_values(rule, n_panels, seed, drift=drift, n_references=n_panels // 20)
            for drift in (False, True)
        )
        for adjustment, adjust in _ADJUSTMENTS.items():
            kept, found = flagged_panels(quiet, adjust), flagged_panels(drifted, adjust)
            shares = [_share(x, n_panels) for x in (kept.flagged, found.flagged, found.right)]
            rows.append([name, adjustment, *shares])
    head = ["tests", "over all series", "quiet: flagged", "drifted: flagged", "drifted: right"]
    return table(head, rows)


def _monitoring_table(n_streams: int = 60, seed: int = 20261124) -> str:
    rows = []
    for tolerance, budget, n_rows in (
        (0.1, FalseAlarmBudget(), 10_000),
        (0.01, FalseAlarmBudget(), 10_000),
        (0.01, ONE_IN_TWENTY_WINDOWS, 10_000),
        (0.01, FalseAlarmBudget(), 200_000),
        (0.01, ONE_IN_TWENTY_WINDOWS, 200_000),
    ):
        n_references = 10 if n_rows <= 10_000 else 2
        quiet, drifted = monitoring_trial(
            tolerance,
            budget,
            n_rows=n_rows,
            n_streams=n_streams,
            seed=seed,
            n_drifted=12,
            n_references=n_references,
        )
        within = [drifted[last - 1].right for last in (1, 3, 6, 12)]
        rows.append(
            [
                f"{tolerance:g}, reference of {n_rows:,} rows, {budget}",
                _share(quiet.flagged, quiet.panels),
                *[_share(found, n_streams) for found in within],
            ]
        )
    head = ["tolerance, reference, budget", "quiet panels flagged"]
    return table([*head, *[f"right within {n}" for n in (1, 3, 6, 12)]], rows)


def _share(count: int, of: int) -> str:
    return f"{number(100 * count / of)} %"
