"""What each kind of detector asks of a window: counts, tolerances and which way counts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from baselines.checks import check_column
from baselines.layout import AxisNeed, CategoryAxis
from baselines.reference import Reference
from baselines.schema import Column, Dtype, Role, Schema
from detectors.action_mix import ActionMix
from detectors.classification_performance import ClassificationPerformance
from detectors.conditional_gap import ConditionalGap
from detectors.distribution_shift import DistributionShift
from detectors.equalized_odds_gap import EqualizedOddsGap
from detectors.error_rate_gap import ErrorRateGap
from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import RateQuestion, SilenceQuestion, Watched
from detectors.filter_error_rate import FilterErrorRate
from detectors.filter_silence import FilterSilence
from detectors.rate_change import RateChange
from detectors.safety_coverage import SafetyCoverage
from detectors.selection_rate_gap import SelectionRateGap

Asker = Callable[..., Any]
SCHEMA = Schema(
    columns=(
        Column(name="approved", role=Role.PREDICTION, dtype=Dtype.BOOLEAN),
        Column(name="repaid", role=Role.LABEL, dtype=Dtype.BOOLEAN),
        Column(name="sex", role=Role.GROUP),
        Column(name="race", role=Role.GROUP),
        Column(name="job", role=Role.CATEGORY),
        Column(name="checks", role=Role.SAFETY_CHECK),
    )
)
APPROVED = CategoryAxis(AxisNeed("approved"), ("false", "true"))
REPAID = CategoryAxis(AxisNeed("repaid"), ("false", "true"))
SEX = CategoryAxis(AxisNeed("sex"), ("f", "m"))
RACE = CategoryAxis(AxisNeed("race"), ("a", "b"))
HATE, HARM = check_column("output", "filter", "hate"), check_column("output", "filter", "harm")


@pytest.fixture
def ask(by_hand) -> Asker:
    """Return the question of a detector, given the cells of window and reference by table."""

    def asked(series, axes, window, reference, n_rows=None) -> Any:
        layout = by_hand.tables(*axes)
        summaries = [by_hand.summary(layout, cells, n_rows) for cells in (reference, window)]
        known = Reference(schema=SCHEMA, summary=summaries[0])
        return series.question(known, by_hand.window(summaries[1]))

    return asked


@pytest.fixture
def filters(by_hand, ask) -> Asker:
    """Return the question of a filter of two categories; the reference is always the same."""
    normal = by_hand.verdicts({"ok/clean/allow": 90, "ok/flagged/block": 10})

    def asked(series, hate, harm, n_rows=100) -> Any:
        window = {HATE: by_hand.verdicts(hate), HARM: by_hand.verdicts(harm)}
        axes = (by_hand.check(HATE), by_hand.check(HARM))
        return ask(series, axes, window, {HATE: normal, HARM: normal}, n_rows)

    return asked


def test_a_rate_is_watched_the_way_and_within_the_tolerances_that_were_set(ask) -> None:
    series = RateChange(column="approved", direction="down", tolerance_ratio=1.5)

    question = ask(
        series, [(APPROVED,)], {"approved": [6, 3, 0, 1]}, {"approved": [50, 40, 10, 0]}
    )

    assert question == RateQuestion(
        hits=3,
        total=9,
        reference_hits=40,
        reference_total=100,
        tolerance_ratio=1.5,
        tolerance_difference=0.05,
        watched=Watched.DOWN,
    )


def test_one_row_is_enough_to_ask(ask) -> None:
    question = ask(
        RateChange(column="approved"),
        [(APPROVED,)],
        {"approved": [1, 0, 0, 0]},
        {"approved": [50, 50, 0, 0]},
    )

    assert (question.hits, question.total) == (0, 1)


def test_the_mix_is_asked_on_the_groups_that_drift_is_decided_on(ask) -> None:
    levels = tuple(f"level {number:02}" for number in range(40))
    axis = CategoryAxis(AxisNeed("job"), levels)
    reference = [*range(100, 60, -1), 0, 7]
    window = [1] * 40 + [5, 9]

    question = ask(
        DistributionShift(column="job", tolerance=0.2),
        [(axis,)],
        {"job": window},
        {"job": reference},
    )

    assert question.counts.tolist() == [1] * 31 + [9, 5]
    assert question.reference.tolist() == [*range(100, 69, -1), sum(range(61, 70)), 0]
    assert (question.tolerance, question.ordered) == (0.2, False)


def test_the_bins_of_a_number_are_ordered_groups(outputs) -> None:
    rows = outputs.rows(4000, seed=1)
    layout = outputs.layout(rows)

    question = DistributionShift(column="score").question(
        outputs.reference(rows, layout), outputs.window(rows, layout)
    )

    assert question.ordered
    assert len(question.counts) == 18
    assert np.ptp(question.reference[1:-1]) < 0.2 * question.reference.sum() / 16


def test_coverage_counts_working_verdicts_of_all_categories_downwards(filters) -> None:
    series = SafetyCoverage(check="output/filter", tolerance=0.03)

    question = filters(
        series, {"ok/clean/allow": 80, "error/unknown/none": 20}, {"ok/flagged/block": 50}
    )

    assert (question.hits, question.total) == (130, 200)
    assert (question.reference_hits, question.reference_total) == (200, 200)
    assert question.watched is Watched.DOWN
    assert question.tolerance_difference == 0.03
    assert question.repeats == 2


def test_a_filter_that_never_worked_is_not_asked_for_its_coverage(by_hand, ask) -> None:
    failed = {HATE: by_hand.verdicts({"error/unknown/none": 100})}

    question = ask(SafetyCoverage(check="output/filter"), [by_hand.check(HATE)], failed, failed)

    assert question is None


def test_failures_are_asked_of_the_checks_that_were_attempted(filters) -> None:
    question = filters(
        FilterErrorRate(check="output/filter"),
        {"ok/clean/allow": 5, "error/unknown/none": 3},
        {"timeout/unknown/none": 2, "skipped/unknown/none": 9},
    )

    assert (question.hits, question.total, question.repeats) == (5, 10, 2)
    assert question.watched is Watched.UP


def test_silence_pools_the_triggers_of_all_categories(filters) -> None:
    question = filters(
        FilterSilence(check="output/filter"), {"ok/clean/allow": 50}, {"ok/flagged/block": 1}
    )

    assert question == SilenceQuestion(
        triggers=1,
        checked=51,
        reference_triggers=20,
        reference_checked=200,
        tolerance=0.5,
        repeats=2,
    )


def test_where_silence_is_normal_it_is_not_asked_about(by_hand, ask) -> None:
    quiet = {HATE: by_hand.verdicts({"ok/clean/allow": 100})}

    assert ask(FilterSilence(check="output/filter"), [by_hand.check(HATE)], quiet, quiet) is None


def test_actions_are_a_mix_without_order(filters) -> None:
    question = filters(
        ActionMix(check="output/filter"), {"ok/clean/allow": 7}, {"ok/flagged/block": 2}
    )

    assert sorted(question.counts.tolist(), reverse=True)[:2] == [7, 2]
    assert question.reference.sum() == 200
    assert not question.ordered


@pytest.mark.parametrize(
    ("options", "tolerated"),
    [
        ({}, ToleratedGap(kind=GapTolerance.RATIO, limit=0.8)),
        (
            {"policy": "ratio", "tolerance_ratio": 0.9},
            ToleratedGap(kind=GapTolerance.RATIO, limit=0.9),
        ),
        (
            {"policy": "difference", "tolerance_difference": 0.04},
            ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.04),
        ),
    ],
)
def test_a_gap_is_tolerated_as_the_policy_says(ask, options, tolerated) -> None:
    # Rows: f, m, other, missing; columns: false, true, other, missing.
    window = [[1, 2, 0, 0], [0, 0, 0, 5], [1, 0, 0, 0], [9, 9, 0, 0]]
    reference = [[50, 50, 0, 0], [40, 60, 0, 0], [0, 0, 0, 0], [5, 5, 0, 0]]

    question = ask(
        SelectionRateGap(outcome="approved", group="sex", **options),
        [(SEX, APPROVED)],
        {"sex*approved": window},
        {"sex*approved": reference},
    )

    assert question.tolerated == tolerated
    assert question.groups == ("f", "m", "other")
    assert question.hits.tolist() == [[2, 0, 0]]
    assert question.totals.tolist() == [[3, 0, 1]]
    assert question.reference_hits.tolist() == [[50, 60, 0]]
    assert question.reference_totals.tolist() == [[100, 100, 0]]


def test_a_gap_against_the_baselines_gap_is_not_asked_about(ask) -> None:
    series = SelectionRateGap(outcome="approved", group="sex", comparison="baseline")
    cells = {"sex*approved": [[50, 50, 0, 0], [40, 60, 0, 0], [0] * 4, [0] * 4]}

    assert not series.asks
    assert ask(series, [(SEX, APPROVED)], cells, cells) is None


def test_every_group_of_an_intersection_keeps_its_place(ask) -> None:
    cells = np.zeros((4, 4, 4), dtype=np.int64)
    cells[1, 0, 1] = 3
    cells[3, 0, 1] = 7

    question = ask(
        SelectionRateGap(outcome="approved", group=("sex", "race")),
        [(SEX, RACE, APPROVED)],
        {"sex*race*approved": cells},
        {"sex*race*approved": cells + 1},
    )

    assert len(question.groups) == 9
    assert question.groups[3] == "m & a"
    assert question.totals.tolist() == [[0, 0, 0, 3, 0, 0, 0, 0, 0]]


def labelled() -> np.ndarray:
    cells = np.zeros((4, 4, 4), dtype=np.int64)
    # Of f: 4 true positives, 1 false negative, 2 false positives, 3 true negatives.
    cells[0, :2, :2] = [[3, 1], [2, 4]]
    cells[1, :2, :2] = [[6, 5], [4, 5]]
    return cells


def test_equalized_odds_has_a_stratum_for_either_label(ask) -> None:
    cells = {"sex*approved*repaid": labelled()}

    question = ask(
        EqualizedOddsGap(prediction="approved", label="repaid", group="sex"),
        [(SEX, APPROVED, REPAID)],
        cells,
        cells,
    )

    assert question.hits.tolist() == [[4, 5, 0], [2, 4, 0]]
    assert question.totals.tolist() == [[5, 10, 0], [5, 10, 0]]
    assert question.tolerated == ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.1)


def test_an_error_rate_is_asked_of_the_rows_that_it_is_a_share_of(ask) -> None:
    cells = {"sex*approved*repaid": labelled()}

    question = ask(
        ErrorRateGap(
            prediction="approved", label="repaid", group="sex", metric="ppv", tolerance_ratio=0.7
        ),
        [(SEX, APPROVED, REPAID)],
        cells,
        cells,
    )

    assert (question.hits.tolist(), question.totals.tolist()) == ([[4, 5, 0]], [[6, 9, 0]])
    assert question.tolerated == ToleratedGap(kind=GapTolerance.RATIO, limit=0.7)


def test_a_conditional_gap_has_a_stratum_for_each_level(ask) -> None:
    cells = np.zeros((4, 4, 4), dtype=np.int64)
    cells[0, 0, :2] = [1, 2]
    cells[1, 1, :2] = [3, 4]
    cells[1, 3, :2] = [9, 9]
    job = CategoryAxis(AxisNeed("job"), ("nurse", "cook"))

    question = ask(
        ConditionalGap(outcome="approved", group="sex", strata=("job",)),
        [(SEX, job, APPROVED)],
        {"sex*job*approved": cells},
        {"sex*job*approved": cells},
    )

    assert question.hits.tolist() == [[2, 0, 0], [0, 4, 0], [0, 0, 0]]
    assert question.totals.tolist() == [[3, 0, 0], [0, 7, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("metric", "hits", "total"),
    [("accuracy", 7, 10), ("precision", 4, 6), ("recall", 4, 5), ("specificity", 3, 5)],
)
def test_a_proportion_of_right_predictions_is_watched_downwards(ask, metric, hits, total) -> None:
    cells = {"approved*repaid": labelled()[0]}
    series = ClassificationPerformance(
        prediction="approved", label="repaid", metric=metric, tolerance_drop=0.02
    )

    question = ask(series, [(APPROVED, REPAID)], cells, cells)

    assert (question.hits, question.total) == (hits, total)
    assert question.watched is Watched.DOWN
    assert question.tolerance_difference == 0.02


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy"])
def test_a_metric_that_is_no_proportion_is_not_asked_about(ask, metric) -> None:
    cells = {"approved*repaid": labelled()[0]}
    series = ClassificationPerformance(prediction="approved", label="repaid", metric=metric)

    assert not series.asks
    assert ask(series, [(APPROVED, REPAID)], cells, cells) is None
