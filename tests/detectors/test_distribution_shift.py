from collections.abc import Callable

import numpy as np
import pytest

from baselines.layout import AxisNeed, CategoryAxis, LayoutMismatchError, NumericAxis
from baselines.reference import Reference
from baselines.schema import Column, Role, Schema
from baselines.summary import WindowSummary
from detectors.base import Direction, Verdict
from detectors.distribution_shift import DistributionShift

SCHEMA = Schema(
    columns=(
        Column(name="length", role=Role.NUMERIC, unit="tokens"),
        Column(name="topic", role=Role.CATEGORY),
    )
)
TOPIC = CategoryAxis(AxisNeed("topic"), ("tax", "travel", "code"))
EDGES = np.arange(0.0, 3300.0, 100.0)
LENGTH = NumericAxis(AxisNeed("length"), EDGES, EDGES[:-1] + 50)


@pytest.fixture
def topics(by_hand) -> Callable[..., WindowSummary]:
    layout = by_hand.tables((TOPIC,))

    def make(*cells: int) -> WindowSummary:
        return by_hand.summary(layout, {"topic": cells})

    return make


@pytest.fixture
def lengths(by_hand) -> Callable[..., WindowSummary]:
    layout = by_hand.tables((LENGTH,))

    def make(bins: dict[int, int]) -> WindowSummary:
        cells = np.zeros(LENGTH.size, dtype=np.int64)
        for code, rows in bins.items():
            cells[code] = rows
        return by_hand.summary(layout, {"length": cells})

    return make


def test_a_large_move_is_beyond_and_its_sentence_names_the_levels(topics, by_hand) -> None:
    reference = Reference(schema=SCHEMA, summary=topics(50_000, 40_000, 10_000, 0, 0))
    window = by_hand.window(topics(2_000, 4_000, 4_000, 0, 0))

    finding = DistributionShift(column="topic", tolerance=0.1).compare(reference, window)

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.3)
    assert finding.departure is not None
    assert finding.departure.value == pytest.approx(3)
    assert finding.n_affected == 3000
    assert finding.direction is Direction.NONE
    assert "most over-represented: code: 40 % of outputs, normally 10 %" in finding.sentence
    assert "most under-represented: tax: 20 % of outputs, normally 50 %" in finding.sentence


def test_a_move_that_chance_explains_is_not_beyond(topics, by_hand) -> None:
    reference = Reference(schema=SCHEMA, summary=topics(50_000, 40_000, 10_000, 0, 0))
    window = by_hand.window(topics(420, 460, 120, 0, 0))
    detector = DistributionShift(column="topic", tolerance=0.02)

    assert detector.compare(reference, window).verdict is Verdict.WITHIN


def test_levels_that_the_baseline_does_not_know_are_a_group_of_their_own(topics, by_hand) -> None:
    reference = Reference(schema=SCHEMA, summary=topics(50_000, 40_000, 10_000, 0, 0))
    window = by_hand.window(topics(2_500, 2_000, 500, 5_000, 0))

    finding = DistributionShift(column="topic").compare(reference, window)

    assert finding.verdict is Verdict.BEYOND
    assert "levels that the baseline does not know: 50 % of outputs" in finding.sentence


def test_ordered_bins_are_named_as_one_range_in_the_unit_of_the_column(lengths, by_hand) -> None:
    normal = dict.fromkeys(range(1, 33), 3000)
    reference = Reference(schema=SCHEMA, summary=lengths(normal))
    bulge = {code: 300 if code not in range(17, 21) else 2_000 for code in range(1, 33)}
    window = by_hand.window(lengths(bulge))

    finding = DistributionShift(column="length").compare(reference, window)

    assert finding.verdict is Verdict.BEYOND
    assert "1600 to 2000 tokens: 49 % of outputs, normally 12 %" in finding.sentence
    assert finding.direction is Direction.UP
    assert finding.measure("mean") > finding.measure("reference_mean")
    assert finding.measure("ks") <= finding.measure("total_variation_fine")


def test_values_beyond_all_edges_are_seen(lengths, by_hand) -> None:
    normal = dict.fromkeys(range(1, 33), 3000)
    reference = Reference(schema=SCHEMA, summary=lengths(normal))
    window = by_hand.window(lengths({**dict.fromkeys(range(1, 33), 60), 33: 3_000}))

    finding = DistributionShift(column="length").compare(reference, window)

    assert finding.verdict is Verdict.BEYOND
    assert "at least 3200 tokens" in finding.sentence


@pytest.mark.parametrize(
    ("beyond", "low", "high"),
    [({33: 80}, 2_580.0, None), ({0: 80}, None, 40.0), ({0: 40, 33: 40}, None, None)],
)
def test_a_mean_is_bounded_where_outputs_lie_beyond_the_bins(
    lengths, by_hand, beyond, low, high
) -> None:
    normal = dict.fromkeys(range(1, 33), 3000)
    reference = Reference(schema=SCHEMA, summary=lengths(normal))
    # 20 outputs of 100 to 200 tokens, and 80 beyond 0 to 3200.
    window = by_hand.window(lengths({2: 20, **beyond}))

    finding = DistributionShift(column="length", min_rows=50).compare(reference, window)

    means = {measure.name: measure for measure in finding.measures}
    assert (means["mean"].low, means["mean"].high) == (low, high)
    assert (means["reference_mean"].low, means["reference_mean"].high) == (None, None)
    assert (low or -np.inf) <= means["mean"].value <= (high or np.inf)
    assert "80 outputs lie beyond the baseline's range; their size is not known" in finding.notes


def test_outputs_within_the_bins_need_no_bounds_and_no_note(lengths, by_hand) -> None:
    normal = lengths(dict.fromkeys(range(1, 33), 3000))

    finding = DistributionShift(column="length").compare(
        Reference(schema=SCHEMA, summary=normal), by_hand.window(normal)
    )

    assert all(measure.low is measure.high is None for measure in finding.measures)
    assert finding.notes == ()


def test_a_column_that_vanished_cannot_be_seen(topics, by_hand) -> None:
    reference = Reference(schema=SCHEMA, summary=topics(5_000, 4_000, 1_000, 0, 0))

    finding = DistributionShift(column="topic").compare(
        reference, by_hand.window(topics(10, 5, 0, 0, 4_000))
    )

    assert finding.verdict is Verdict.CANNOT_SEE
    assert "nearly all of them have no value" in finding.sentence


@pytest.mark.parametrize(
    ("reference", "window"),
    [((5_000, 4_000, 1_000), (40, 30, 9)), ((40, 30, 9), (5_000, 4_000, 1_000))],
)
def test_few_rows_on_either_side_are_insufficient(topics, by_hand, reference, window) -> None:
    finding = DistributionShift(column="topic").compare(
        Reference(schema=SCHEMA, summary=topics(*reference, 0, 0)),
        by_hand.window(topics(*window, 0, 0)),
    )

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "79 outputs" in finding.sentence
    assert "needs 100" in finding.sentence


def test_rows_without_a_value_are_left_out_and_noted(topics, by_hand) -> None:
    reference = Reference(schema=SCHEMA, summary=topics(5_000, 4_000, 1_000, 0, 0))

    finding = DistributionShift(column="topic").compare(
        reference, by_hand.window(topics(2_500, 2_000, 500, 0, 2_500))
    )

    assert finding.effect is not None
    assert finding.effect.value == 0
    assert finding.n_rows == 5_000
    assert finding.notes == (
        "2 500 of 7 500 outputs in the window have no finite value and are left out",
    )


def test_a_window_counted_on_other_grids_is_refused(topics, lengths, by_hand) -> None:
    reference = Reference(schema=SCHEMA, summary=topics(5_000, 4_000, 1_000, 0, 0))

    with pytest.raises(LayoutMismatchError, match="count the window on the baseline's layout"):
        DistributionShift(column="topic").compare(reference, by_hand.window(lengths({1: 1_000})))
