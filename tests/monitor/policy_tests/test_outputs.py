"""What a window of each series stands for: the detector reads back what was written."""

import numpy as np
import pytest

from baselines.reference import Reference
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import Window, WindowKey
from detectors.action_mix import ActionMix
from detectors.base import Detector, Verdict
from detectors.check_trigger_rate import CheckTriggerRate
from detectors.distribution_shift import DistributionShift
from detectors.error_rate_gap import ErrorRateGap
from detectors.evidence.questions import GapQuestion, MixQuestion, RateQuestion, SilenceQuestion
from detectors.filter_error_rate import FilterErrorRate
from detectors.filter_silence import FilterSilence
from detectors.flagged_not_acted import FlaggedNotActed
from detectors.missing_rate import MissingRate
from detectors.rate_change import RateChange
from detectors.safety_coverage import SafetyCoverage
from detectors.selection_rate_gap import SelectionRateGap
from detectors.unseen_levels import UnseenLevels
from monitor.config.model import BaselineSettings
from monitor.policy_tests.grids import Grids
from monitor.policy_tests.notation import NotationError, read_windows
from monitor.policy_tests.outputs import outputs_of

SCHEMA = Schema(
    columns=(
        Column(name="approved", role=Role.PREDICTION, positive=("yes",)),
        Column(name="label", role=Role.LABEL, positive=("yes",)),
        Column(name="income", role=Role.NUMERIC, dtype=Dtype.FLOAT64),
        Column(name="plan", role=Role.CATEGORY),
        Column(name="sex", role=Role.GROUP),
        Column(name="age", role=Role.GROUP),
        Column(name="checks", role=Role.SAFETY_CHECK),
    )
)


def asked(detector: Detector, baseline: str, window: str) -> object:
    """Return what the detector asks of a window that is written against a baseline."""
    before, now = (
        outputs_of(detector, SCHEMA, read_windows(text)[0]) for text in (baseline, window)
    )
    grids = Grids(SCHEMA, BaselineSettings())
    grids.add("it", detector, [before])
    layout = grids.layout()
    reference = Reference(schema=SCHEMA, summary=grids.count(layout, {"it": before}))
    seen = Window(WindowKey(0, 1), grids.count(layout, {"it": now}))
    assert detector.compare(reference, seen).verdict in (Verdict.WITHIN, Verdict.BEYOND)
    return detector.question(reference, seen)


@pytest.mark.parametrize(
    "detector",
    [
        RateChange(column="approved"),
        RateChange(column="plan", level="paid", where_column="sex", where_level="F"),
        RateChange(column="check:output/moderation/hate"),
        MissingRate(column="income"),
        MissingRate(column="plan"),
        UnseenLevels(column="plan"),
        CheckTriggerRate(check="output/moderation/hate"),
        SafetyCoverage(check="output/moderation"),
        FilterErrorRate(check="output/moderation"),
        FlaggedNotActed(check="output/moderation"),
    ],
    ids=lambda detector: detector.series,
)
def test_a_rate_is_read_back(detector: Detector) -> None:
    question = asked(detector, "50/1000", "30/400")

    assert isinstance(question, RateQuestion)
    assert (question.hits, question.total) == (30, 400)
    assert (question.reference_hits, question.reference_total) == (50, 1000)


@pytest.mark.parametrize("check", ["output/moderation", "output/moderation/hate"])
def test_a_silence_is_read_back(check: str) -> None:
    question = asked(FilterSilence(check=check), "50/1000", "0/900")

    assert isinstance(question, SilenceQuestion)
    assert (question.triggers, question.checked) == (0, 900)
    assert (question.reference_triggers, question.reference_checked) == (50, 1000)


@pytest.mark.parametrize(
    ("detector", "baseline", "window"),
    [
        (DistributionShift(column="income"), "100|300|200", "200|100|300"),
        (DistributionShift(column="income"), "1.5 100|2 300|9 200", "1.5 200|2 100|9 300"),
        (DistributionShift(column="plan"), "100|300|200", "200|100|300"),
        (ActionMix(check="output/moderation"), "allow 100|block 300", "allow 200|block 100"),
    ],
)
def test_a_mix_is_read_back(detector: Detector, baseline: str, window: str) -> None:
    question = asked(detector, baseline, window)

    assert isinstance(question, MixQuestion)
    assert question.counts[question.counts > 0].tolist()[:2] == [200, 100]
    assert question.reference[question.reference > 0].tolist()[:2] == [100, 300]


@pytest.mark.parametrize(
    ("detector", "baseline"),
    [
        (SelectionRateGap(outcome="approved", group="sex"), "F 50/500 | M 60/400"),
        (
            SelectionRateGap(outcome="approved", group=("sex", "age")),
            "F & old 50/500 | M & old 60/400",
        ),
        (
            ErrorRateGap(prediction="approved", label="label", group="sex"),
            "sex=F & label=yes & approved=yes 50 | sex=F & label=yes & approved=no 450 | "
            "sex=M & label=yes & approved=yes 60 | sex=M & label=yes & approved=no 340",
        ),
    ],
    ids=lambda each: getattr(each, "series", None),
)
def test_a_gap_is_read_back(detector: Detector, baseline: str) -> None:
    question = asked(detector, baseline, baseline)

    assert isinstance(question, GapQuestion)
    there = question.totals[0] > 0
    assert question.hits[0][there].tolist() == [50, 60]
    assert question.totals[0][there].tolist() == [500, 400]


def test_missing_outputs_count_as_missing_only() -> None:
    detector = MissingRate(column="income")
    window = read_windows("10/100 + 5 missing")[0]

    outputs = outputs_of(detector, SCHEMA, window)

    assert sum(each.number for each in outputs if each.values.get("income") is None) == 15
    assert sum(each.number for each in outputs) == 105


def test_a_bin_that_the_baseline_lacks_is_a_value_beyond_it() -> None:
    question = asked(DistributionShift(column="income"), "100|300", "100|200|100")

    assert isinstance(question, MixQuestion)
    assert question.counts.sum() == 400
    assert question.reference[np.flatnonzero(question.counts)].tolist() == [100, 300, 0]


@pytest.mark.parametrize(
    ("detector", "window", "message"),
    [
        (RateChange(column="approved"), "20", "reads 'hits/total', where hits are outputs where"),
        (RateChange(column="approved"), "F 2/20", "reads 'hits/total'"),
        (SelectionRateGap(outcome="approved", group="sex"), "2/20", "reads 'sex hits/total'"),
        (DistributionShift(column="income"), "2/20", "reads counts, got '2/20'"),
        (DistributionShift(column="income"), "low 20", "'income' holds numbers, got 'low'"),
        (ActionMix(check="output/moderation"), "shrug 20", "must name one of none, allow"),
        (ErrorRateGap(prediction="approved", label="label", group="sex"), "2/20", "name their"),
        (RateChange(column="approved"), "aproved=yes 20", "columns of the schema"),
        (RateChange(column="approved"), "income=high 20", "'income' holds numbers"),
        (RateChange(column="approved"), "approved=yes 2/20", "take a count"),
        (RateChange(column="approved"), "check:a/b/c=flagged 2", "must be such as"),
    ],
)
def test_what_a_detector_cannot_read_is_refused(
    detector: Detector, window: str, message: str
) -> None:
    with pytest.raises(NotationError, match=message):
        outputs_of(detector, SCHEMA, read_windows(window)[0])
