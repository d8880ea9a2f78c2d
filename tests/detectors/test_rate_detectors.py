"""Missing values, unseen levels and changes of a rate: each on counts written down here."""

from collections.abc import Callable

import numpy as np
import pytest

from baselines.layout import AxisNeed, CategoryAxis, NumericAxis
from baselines.reference import Reference
from baselines.schema import Column, Dtype, Role, Schema
from detectors.base import Direction, Finding, Verdict
from detectors.missing_rate import MissingRate
from detectors.rate_change import RateChange
from detectors.unseen_levels import UnseenLevels

SCHEMA = Schema(
    columns=(
        Column(name="length", role=Role.NUMERIC),
        Column(name="refused", role=Role.CATEGORY, dtype=Dtype.BOOLEAN),
        Column(name="topic", role=Role.CATEGORY, positive=("tax", "code")),
        Column(name="language", role=Role.GROUP),
        Column(name="safety", role=Role.SAFETY_CHECK),
    )
)
REFUSED = CategoryAxis(AxisNeed("refused"), ("false", "true"))
TOPIC = CategoryAxis(AxisNeed("topic"), ("code", "tax", "travel"))
LANGUAGE = CategoryAxis(AxisNeed("language"), ("de", "en"))
LENGTH = NumericAxis(AxisNeed("length"), np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.5]))


@pytest.fixture
def compare(by_hand) -> Callable[..., Finding]:
    """Return a function that compares two rows of counts of one table."""

    def run(detector, axes, normal, present) -> Finding:
        layout = by_hand.tables(axes)
        name = layout.tables[0].name
        reference = Reference(
            schema=SCHEMA, summary=by_hand.summary(layout, {name: np.array(normal)})
        )
        return detector.compare(
            reference, by_hand.window(by_hand.summary(layout, {name: np.array(present)}))
        )

    return run


def test_missing_and_non_finite_values_both_count(compare) -> None:
    finding = compare(
        MissingRate(column="length"),
        (LENGTH,),
        [0, 5_000, 4_800, 0, 100, 100],
        [0, 500, 400, 0, 60, 40],
    )

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.08)
    assert finding.direction is Direction.UP
    assert finding.n_affected == 80
    assert finding.sentence.startswith(
        "length has no finite value in 10 % of outputs, normally 2 %"
    )


def test_fewer_missing_values_are_welcome(compare) -> None:
    finding = compare(MissingRate(column="refused"), (REFUSED,), [700, 0, 0, 300], [999, 0, 0, 1])

    assert finding.verdict is Verdict.WITHIN
    assert finding.direction is Direction.DOWN
    assert finding.n_affected == 0
    assert finding.sentence.startswith("refused has no value in 0.1 % of outputs, normally 30 %")


def test_a_rate_says_which_outputs_it_leaves_out(compare) -> None:
    detector = RateChange(column="refused")
    half_missing, one_missing = [400, 100, 0, 500], [900, 99, 0, 1]

    assert compare(detector, (REFUSED,), one_missing, half_missing).notes == (
        "500 of 1 000 outputs in the window have no value of refused and are left out",
    )
    assert compare(detector, (REFUSED,), half_missing, one_missing).notes == ()


def test_a_column_that_is_gone_altogether_is_beyond(compare) -> None:
    finding = compare(MissingRate(column="refused"), (REFUSED,), [900, 90, 0, 10], [0, 0, 0, 500])

    assert finding.verdict is Verdict.BEYOND


def test_unseen_levels_are_compared_with_the_baselines_own_share(compare) -> None:
    detector = UnseenLevels(column="topic")
    normal = [4_000, 3_000, 2_700, 300, 0]

    same = compare(detector, (TOPIC,), normal, [400, 300, 270, 30, 0])
    more = compare(detector, (TOPIC,), normal, [350, 250, 200, 200, 500])

    assert same.verdict is Verdict.WITHIN
    assert more.verdict is Verdict.BEYOND
    assert more.measure("rate") == pytest.approx(0.2)
    assert more.n_rows == 1_000


def test_unseen_levels_of_an_empty_column_cannot_be_seen(compare) -> None:
    finding = compare(
        UnseenLevels(column="topic"), (TOPIC,), [4_000, 3_000, 0, 0, 0], [0, 0, 0, 0, 900]
    )

    assert finding.verdict is Verdict.CANNOT_SEE


@pytest.mark.parametrize(
    ("direction", "true_rows", "verdict"),
    [
        ("both", 200, Verdict.BEYOND),
        ("both", 5, Verdict.BEYOND),
        ("up", 200, Verdict.BEYOND),
        ("up", 5, Verdict.WITHIN),
        ("down", 200, Verdict.WITHIN),
        ("down", 5, Verdict.BEYOND),
        ("both", 101, Verdict.WITHIN),
    ],
)
def test_a_rate_departs_only_in_the_direction_that_is_watched(
    compare, direction, true_rows, verdict
) -> None:
    finding = compare(
        RateChange(column="refused", direction=direction),
        (REFUSED,),
        [90_000, 10_000, 0, 0],
        [1_000 - true_rows, true_rows, 0, 0],
    )

    assert finding.verdict is verdict
    assert finding.direction is (Direction.UP if true_rows > 100 else Direction.DOWN)


def test_the_ratio_is_on_a_scale_of_logarithms(compare) -> None:
    detector = RateChange(column="refused", tolerance_difference=None, tolerance_ratio=1.5)

    finding = compare(detector, (REFUSED,), [98_000, 2_000, 0, 0], [9_550, 450, 0, 0])

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(2.25)
    assert finding.departure is not None
    assert finding.departure.value == pytest.approx(2)


def test_a_halved_rate_and_a_doubled_rate_depart_equally_far(compare) -> None:
    detector = RateChange(column="refused", tolerance_difference=None, tolerance_ratio=1.5)
    low, high = [9_500, 500, 0, 0], [9_000, 1_000, 0, 0]

    up = compare(detector, (REFUSED,), low, high)
    down = compare(detector, (REFUSED,), high, low)

    assert up.departure is not None
    assert down.departure is not None
    assert up.departure.low == pytest.approx(down.departure.low)
    assert up.effect == down.effect
    assert (up.direction, down.direction) == (Direction.UP, Direction.DOWN)


def test_with_two_tolerances_a_rate_must_be_beyond_both(compare) -> None:
    normal, present = [98_000, 2_000, 0, 0], [9_400, 600, 0, 0]

    ratio_only = compare(
        RateChange(column="refused", tolerance_difference=None, tolerance_ratio=1.5),
        (REFUSED,),
        normal,
        present,
    )
    both = compare(
        RateChange(column="refused", tolerance_difference=0.05, tolerance_ratio=1.5),
        (REFUSED,),
        normal,
        present,
    )

    assert ratio_only.verdict is Verdict.BEYOND
    assert both.verdict is Verdict.WITHIN


def test_a_rate_that_was_zero_has_a_finite_departure(compare) -> None:
    detector = RateChange(column="refused", tolerance_difference=None, tolerance_ratio=2.0)

    finding = compare(detector, (REFUSED,), [10_000, 0, 0, 0], [900, 100, 0, 0])

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.high == 1_000


def test_positive_levels_come_from_the_schema_unless_one_is_named(compare) -> None:
    normal, present = [1_000, 1_000, 8_000, 0, 0], [300, 100, 600, 0, 0]

    by_schema = compare(RateChange(column="topic"), (TOPIC,), normal, present)
    one_level = compare(RateChange(column="topic", level="tax"), (TOPIC,), normal, present)

    assert by_schema.measure("rate") == pytest.approx(0.4)
    assert one_level.measure("rate") == pytest.approx(0.1)
    assert one_level.series == "rate_change(topic=tax)"


def test_one_group_can_be_watched_alone(compare) -> None:
    normal = np.zeros((4, 4), dtype=int)
    normal[0, :2], normal[1, :2] = (9_000, 1_000), (9_000, 1_000)
    present = np.zeros((4, 4), dtype=int)
    present[0, :2], present[1, :2] = (700, 300), (900, 100)
    german = RateChange(column="refused", where_column="language", where_level="de")
    english = RateChange(column="refused", where_column="language", where_level="en")
    axes = (LANGUAGE, REFUSED)

    assert compare(german, axes, normal, present).verdict is Verdict.BEYOND
    assert compare(english, axes, normal, present).verdict is Verdict.WITHIN
    assert german.series == "rate_change(refused where language=de)"


def test_levels_that_the_baseline_does_not_know_cannot_be_watched(compare) -> None:
    rows = [900, 100, 0, 0]
    by_group = np.zeros((4, 4), dtype=int)

    level = compare(RateChange(column="refused", level="maybe"), (REFUSED,), rows, rows)
    group = compare(
        RateChange(column="refused", where_column="language", where_level="fr"),
        (LANGUAGE, REFUSED),
        by_group,
        by_group,
    )

    assert level.verdict is Verdict.CANNOT_SEE
    assert "no level 'maybe' of refused" in level.sentence
    assert group.verdict is Verdict.CANNOT_SEE
    assert "no level 'fr' of language" in group.sentence


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"column": "refusd"}, "column"),
        ({"column": "length"}, "column"),
        ({"column": "refused", "tolerance_difference": None}, "tolerance_difference"),
        ({"column": "refused", "where_column": "language"}, "where_level"),
        ({"column": "refused", "where_level": "de"}, "where_level"),
        ({"column": "topic", "where_column": "topic", "where_level": "tax"}, "where_column"),
        ({"column": "check:output"}, "column"),
    ],
)
def test_options_that_do_not_fit_are_named(options, option) -> None:
    assert [name for name, _ in RateChange(**options).problems(SCHEMA)] == [option]
