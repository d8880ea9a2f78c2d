"""The detectors of safety filters, each on verdicts written down here."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest

from baselines.checks import CHECK_OUTCOMES
from baselines.layout import Layout
from baselines.reference import Reference
from baselines.schema import Column, Role, Schema
from baselines.summary import WindowSummary
from detectors.action_mix import ActionMix
from detectors.base import Detector, Direction, FailureMode, Finding, Verdict
from detectors.check_trigger_rate import CheckTriggerRate
from detectors.filter_error_rate import FilterErrorRate
from detectors.filter_silence import FilterSilence
from detectors.flagged_not_acted import FlaggedNotActed
from detectors.safety_checks import ANSWERED, ATTEMPTED, FAILED, FLAGGED, NOT_ACTED, WORKING
from detectors.safety_coverage import SafetyCoverage

SCHEMA = Schema(columns=(Column(name="safety", role=Role.SAFETY_CHECK),))
HATE = "check:output/moderation/hate"
THREAT = "check:output/moderation/hate/threatening"
OTHER = "check:output/moderation2/hate"
CLEAN, BLOCKED, PASSED = "ok/clean/allow", "ok/flagged/block", "ok/flagged/none"
ERROR, TIMEOUT, SKIPPED = "error/unknown/none", "timeout/unknown/none", "skipped/unknown/none"

Verdicts = dict[str, int]


@pytest.fixture
def reference(by_hand) -> Callable[..., Reference]:
    layout = by_hand.tables(by_hand.check(HATE), by_hand.check(THREAT), by_hand.check(OTHER))

    def make(n_rows: int, history: int = 0, **checks: Verdicts) -> Reference:
        summary = fill(by_hand, layout, n_rows, checks)
        windows = tuple(by_hand.window(summary, hour=hour) for hour in range(history))
        return Reference(schema=SCHEMA, summary=summary, history=windows)

    return make


@pytest.fixture
def compare(by_hand) -> Callable[..., Finding]:
    def run(detector: Detector, reference: Reference, n_rows: int, **checks: Verdicts) -> Finding:
        summary = fill(by_hand, reference.summary.layout, n_rows, checks)
        return detector.compare(reference, by_hand.window(summary))

    return run


def fill(by_hand, layout: Layout, n_rows: int, checks: dict[str, Verdicts]) -> WindowSummary:
    names = {"hate": HATE, "threat": THREAT, "other": OTHER}
    cells = {
        names[key]: by_hand.verdicts(counts, missing=n_rows - sum(counts.values()))
        for key, counts in checks.items()
    }
    return by_hand.summary(layout, cells, n_rows)


FILTER = "output/moderation"


def test_coverage_that_fell_is_beyond_and_the_lost_category_is_named(reference, compare) -> None:
    normal = reference(10_000, hate={CLEAN: 9_900}, threat={CLEAN: 9_900})

    finding = compare(
        SafetyCoverage(check=FILTER), normal, 1_000, hate={CLEAN: 990}, threat={CLEAN: 700}
    )

    assert finding.verdict is Verdict.BEYOND
    assert finding.failure_mode is FailureMode.SAFETY
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.29)
    assert finding.direction is Direction.DOWN
    assert finding.n_affected == 290
    assert f"decided on {THREAT}, the category that lost most" in finding.notes
    assert finding.measure("least_covered_category") == pytest.approx(0.7)


def test_errors_are_no_coverage(reference, compare) -> None:
    normal = reference(10_000, hate={CLEAN: 10_000}, threat={CLEAN: 10_000})
    broken = {CLEAN: 800, ERROR: 100, TIMEOUT: 50, SKIPPED: 50}

    finding = compare(
        SafetyCoverage(check=FILTER), normal, 1_000, hate=broken, threat={CLEAN: 1_000}
    )

    assert finding.measure("rate") == pytest.approx(0.8)
    assert finding.verdict is Verdict.BEYOND


def test_a_filter_that_is_absent_is_a_full_loss_even_in_few_rows(reference, compare) -> None:
    normal = reference(10_000, hate={CLEAN: 9_990}, threat={CLEAN: 9_990})

    finding = compare(SafetyCoverage(check=FILTER, min_rows=500), normal, 20)

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.999)


def test_a_filter_of_a_similar_name_is_another_filter(reference, compare) -> None:
    normal = reference(10_000, hate={CLEAN: 9_900}, threat={CLEAN: 9_900}, other={CLEAN: 9_900})

    finding = compare(
        SafetyCoverage(check=FILTER), normal, 1_000, hate={CLEAN: 990}, threat={CLEAN: 990}
    )

    assert finding.verdict is Verdict.WITHIN
    assert finding.columns == (HATE, THREAT)


def test_a_baseline_that_was_hardly_covered_is_noted(reference, compare) -> None:
    normal = reference(10_000, hate={CLEAN: 4_000}, threat={CLEAN: 4_000})

    finding = compare(
        SafetyCoverage(check=FILTER), normal, 1_000, hate={CLEAN: 400}, threat={CLEAN: 400}
    )

    assert finding.verdict is Verdict.WITHIN
    assert "the baseline itself was covered on 40 % of outputs only" in finding.notes


def test_coverage_cannot_be_seen_against_a_baseline_without_any(reference, compare) -> None:
    finding = compare(SafetyCoverage(check=FILTER), reference(10_000), 1_000, hate={CLEAN: 900})

    assert finding.verdict is Verdict.CANNOT_SEE
    assert "fit the baseline again" in finding.sentence


def test_a_check_that_the_baseline_never_saw_cannot_be_seen(reference, compare) -> None:
    for cls in (SafetyCoverage, FilterSilence, FilterErrorRate, FlaggedNotActed, ActionMix):
        finding = compare(cls(check="input/unknown"), reference(10_000), 1_000)

        assert finding.verdict is Verdict.CANNOT_SEE
        assert "the check input/unknown" in finding.sentence


def test_silence_is_beyond_after_exactly_the_waiting_time(reference, compare) -> None:
    detector = FilterSilence(check=FILTER, tolerance=0.5, confidence=0.998)
    normal = reference(50_000, hate={CLEAN: 48_000, BLOCKED: 2_000})
    needed = int(
        compare(detector, normal, 10_000, hate={CLEAN: 10_000}).measure("verdicts_needed")
    )

    too_early = compare(detector, normal, needed - 1, hate={CLEAN: needed - 1})
    in_time = compare(detector, normal, needed, hate={CLEAN: needed})

    # The rate is 4 %: ln(1 / 0.0005) / (0.5 * its lower bound) verdicts without a flag.
    assert needed == pytest.approx(math.log(2_000) / (0.5 * 0.0372), rel=0.03)
    assert too_early.verdict is Verdict.INSUFFICIENT_DATA
    assert in_time.verdict is Verdict.BEYOND
    assert in_time.direction is Direction.DOWN


@pytest.mark.parametrize(
    ("flags", "verdict"), [(200, Verdict.WITHIN), (90, Verdict.WITHIN), (20, Verdict.BEYOND)]
)
def test_few_flags_are_silence_when_too_many_are_missing_for_sure(
    reference, compare, flags, verdict
) -> None:
    normal = reference(50_000, hate={CLEAN: 48_000, BLOCKED: 2_000})

    finding = compare(
        FilterSilence(check=FILTER), normal, 5_000, hate={CLEAN: 5_000 - flags, BLOCKED: flags}
    )

    assert finding.verdict is verdict
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(1 - flags / 200)


def test_silence_is_normal_for_a_filter_that_never_flagged(reference, compare) -> None:
    normal = reference(50_000, hate={CLEAN: 50_000})

    finding = compare(FilterSilence(check=FILTER), normal, 5_000, hate={CLEAN: 5_000})

    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "silence is normal" in finding.sentence


def test_flags_that_come_in_bursts_take_longer_to_miss(reference, by_hand, compare) -> None:
    normal = reference(16_000, hate={CLEAN: 15_200, BLOCKED: 800})
    layout = normal.summary.layout
    bursts = [0, 0, 0, 200, 0, 0, 0, 200] * 2
    history = tuple(
        by_hand.window(fill(by_hand, layout, 1_000, {"hate": {CLEAN: 1_000 - x, BLOCKED: x}}))
        for x in bursts
    )
    bursty = dataclasses.replace(normal, history=history)
    detector = FilterSilence(check=FILTER)

    steady_finding = compare(detector, normal, 1_000, hate={CLEAN: 1_000})
    bursty_finding = compare(detector, bursty, 1_000, hate={CLEAN: 1_000})

    assert steady_finding.verdict is Verdict.BEYOND
    assert bursty_finding.verdict is Verdict.INSUFFICIENT_DATA


def test_a_filter_that_gives_no_verdicts_cannot_be_heard(reference, compare) -> None:
    normal = reference(50_000, hate={CLEAN: 48_000, BLOCKED: 2_000})

    finding = compare(FilterSilence(check=FILTER), normal, 5_000, hate={ERROR: 5_000})

    assert finding.verdict is Verdict.CANNOT_SEE


def test_errors_and_timeouts_are_counted_among_attempts(reference, compare) -> None:
    normal = reference(10_000, hate={CLEAN: 9_900, ERROR: 100})
    present = {CLEAN: 450, ERROR: 30, TIMEOUT: 20, SKIPPED: 500}

    finding = compare(FilterErrorRate(check=FILTER), normal, 1_000, hate=present)

    assert finding.verdict is Verdict.BEYOND
    assert finding.n_rows == 500
    assert finding.measure("rate") == pytest.approx(0.1)
    assert "failed or timed out in 10 % of checks attempted, normally 1 %" in finding.sentence


def test_flagged_outputs_that_got_through_are_counted_among_flags(reference, compare) -> None:
    normal = reference(10_000, hate={CLEAN: 9_000, BLOCKED: 950, PASSED: 50})
    detector = FlaggedNotActed(check=FILTER)

    through = compare(detector, normal, 1_000, hate={CLEAN: 900, BLOCKED: 40, PASSED: 60})
    few = compare(detector, normal, 1_000, hate={CLEAN: 990, BLOCKED: 4, PASSED: 6})

    assert through.verdict is Verdict.BEYOND
    assert through.measure("rate") == pytest.approx(0.6)
    assert few.verdict is Verdict.INSUFFICIENT_DATA


def test_the_mix_of_actions_is_over_verdicts(reference, compare) -> None:
    normal = reference(10_000, hate={CLEAN: 9_000, BLOCKED: 1_000})
    present = {CLEAN: 3_600, "ok/flagged/annotate": 400, ERROR: 1_000}

    finding = compare(ActionMix(check=FILTER), normal, 5_000, hate=present)

    assert finding.verdict is Verdict.BEYOND
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx(0.1)
    assert finding.n_rows == 4_000
    assert "most over-represented: annotate: 10 % of verdicts, normally 0 %" in finding.sentence


@pytest.mark.parametrize(("flags", "direction"), [(200, Direction.UP), (20, Direction.DOWN)])
def test_a_category_may_flag_too_often_or_too_rarely(reference, compare, flags, direction) -> None:
    normal = reference(50_000, threat={CLEAN: 49_000, BLOCKED: 1_000})

    finding = compare(
        CheckTriggerRate(check="output/moderation/hate/threatening"),
        normal,
        4_000,
        threat={CLEAN: 4_000 - flags, BLOCKED: flags},
    )

    assert finding.verdict is Verdict.BEYOND
    assert finding.direction is direction
    assert finding.columns == (THREAT,)


def test_a_check_needs_a_safety_column_and_a_well_formed_name() -> None:
    bare = Schema(columns=(Column(name="topic", role=Role.CATEGORY),))

    for check, schema, message in [
        ("output/moderation", bare, "needs a column with role 'safety_check'"),
        ("moderation", SCHEMA, "must be 'stage/filter', got 'moderation'"),
        ("output//hate", SCHEMA, "must be 'stage/filter'"),
        ("check:output/moderation", SCHEMA, "without 'check:'"),
    ]:
        ((option, problem),) = SafetyCoverage(check=check).problems(schema)

        assert option == "check"
        assert message in problem


def test_outcomes_of_every_status_are_either_working_failed_or_skipped() -> None:
    skipped = np.array([o.startswith("skipped") for o in CHECK_OUTCOMES] + [False, False])

    assert not (WORKING & FAILED).any()
    assert (ATTEMPTED == (WORKING | FAILED)).all()
    assert (ATTEMPTED | skipped)[:-2].all()
    assert (FLAGGED <= ANSWERED).all()
    assert (NOT_ACTED <= FLAGGED).all()
