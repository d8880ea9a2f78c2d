"""Windows to findings, states and breaches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.baseline import Baseline, Provenance
from baselines.checks import CHECK_OUTCOMES, check_column
from baselines.columns import Categories, Columns, Numbers
from baselines.counting import count
from baselines.layout import AxisNeed, CategoryAxis, Layout, NumericAxis, Table
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import Window, WindowKey, WindowSummary
from detectors.base import FailureMode, Verdict
from detectors.check_trigger_rate import CheckTriggerRate
from detectors.distribution_shift import DistributionShift
from detectors.filter_error_rate import FilterErrorRate
from detectors.missing_rate import MissingRate
from detectors.safety_coverage import SafetyCoverage
from monitor.config.model import (
    BaselineSettings,
    Configuration,
    DeadLetterSettings,
    DetectorEntry,
    IncidentSettings,
    SliceSettings,
    StorageSettings,
)
from monitor.config.problems import Place
from monitor.engine.judgement import Judge
from monitor.incidents.observations import SignalKind
from monitor.severity.register import Stakes, SystemRegister
from monitor.severity.scoring import FiveAxes
from monitor.windows.spec import TumblingWindows

DAY = 86_400_000_000
CHECK = check_column("output", "moderation", "hate")
SCHEMA = Schema(
    columns=(
        Column(name="ts", role=Role.TIMESTAMP),
        Column(name="income", role=Role.NUMERIC, dtype=Dtype.FLOAT64),
        Column(name="checks", role=Role.SAFETY_CHECK),
    )
)
INCOME = NumericAxis(AxisNeed("income"), np.linspace(0, 1, 17), (np.arange(16) + 0.5) / 16)
LAYOUT = Layout((Table((INCOME,)), Table((CategoryAxis(AxisNeed(CHECK), CHECK_OUTCOMES),))))
PLACE = Place(file="c.yaml", line=1, column=1, option="detectors[0]")


def summary(
    n_rows: int = 2_000,
    *,
    missing: float = 0.0,
    shift: float = 0.0,
    verdict: str | None = "ok/clean/none",
) -> WindowSummary:
    values = (np.arange(n_rows) + 0.5) / n_rows * (1 - shift)
    checks = Categories.from_values([verdict] * n_rows)
    columns = Columns(
        n_rows=n_rows,
        time_us=np.zeros(n_rows, dtype=np.int64),
        fields={"income": Numbers(values, values < missing), CHECK: checks},
    )
    return count(columns, LAYOUT)


def window(day: int, counts: WindowSummary, slice_: str = "all") -> Window:
    return Window(WindowKey(day * DAY, (day + 1) * DAY, slice_), counts)


def judge(*entries: tuple[object, int], baseline_rows: int = 20_000) -> Judge:
    configuration = Configuration(
        path=Path("c.yaml"),
        system=SystemRegister(name="loans", stakes=Stakes.CONSEQUENTIAL),
        source=None,
        schema=SCHEMA,
        baseline=BaselineSettings(),
        windows=TumblingWindows(seconds=86_400),
        slices=SliceSettings(),
        detectors=tuple(
            DetectorEntry(detector=detector, for_windows=n, place=PLACE) for detector, n in entries
        ),
        incidents=IncidentSettings(),
        storage=StorageSettings(),
        dead_letters=DeadLetterSettings(),
    )
    baseline = Baseline(
        schema=SCHEMA,
        layout=LAYOUT,
        references={"all": summary(baseline_rows)},
        provenance=Provenance(
            source="made by hand",
            from_us=None,
            to_us=None,
            first_us=None,
            last_us=None,
            n_rows=baseline_rows,
            n_rejected=0,
            windows={"type": "tumbling", "seconds": 86_400},
            n_windows=0,
            created_at_us=0,
            outputwatch_version="0",
        ),
    )
    return Judge(configuration=configuration, baseline=baseline, policy=FiveAxes())


def test_two_rules_of_one_detector_on_the_same_column_are_two_series() -> None:
    lax, strict = (
        DistributionShift(column="income", tolerance=0.8),
        DistributionShift(column="income"),
    )
    ours = judge((lax, 1))
    named = DetectorEntry(detector=strict, for_windows=1, place=PLACE, name="strict")
    entries = (*ours.configuration.detectors, named, replace(named, name="strict too"))
    ours.configuration = replace(ours.configuration, detectors=entries)

    judgement = ours.judge([window(0, summary(shift=0.5))])

    verdicts = {each.finding.series: each.finding.verdict for each in judgement.judged}
    assert verdicts == {
        "distribution_shift(income)": Verdict.WITHIN,
        "distribution_shift(income) [strict]": Verdict.BEYOND,
        "distribution_shift(income) [strict too]": Verdict.BEYOND,
    }
    assert len({each.id for each in judgement.judged}) == 3
    assert {key.series for key in ours.states} == set(verdicts)
    assert {breach.identity.series for breach in judgement.breaches} == {
        "distribution_shift(income) [strict]",
        "distribution_shift(income) [strict too]",
    }


def test_a_breach_begins_when_enough_windows_in_a_row_are_beyond() -> None:
    ours = judge((DistributionShift(column="income"), 2))

    judgements = [ours.judge([window(day, summary(shift=0.5))]) for day in range(3)]

    assert [len(judgement.breaches) for judgement in judgements] == [0, 1, 1]
    breach = judgements[1].breaches[0]
    assert breach.onset_us == 0
    assert breach.identity.series == "distribution_shift(income)"
    assert breach.identity.failure_mode is FailureMode.BEHAVIOURAL
    assert breach.observation.finding_id == judgements[1].judged[0].id


def test_missing_values_explain_a_shift_of_the_column_they_are_missing_from() -> None:
    ours = judge((DistributionShift(column="income"), 1), (MissingRate(column="income"), 1))

    judgement = ours.judge([window(0, summary(missing=0.5))])

    explained = {b.identity.series: b.inhibited_by for b in judgement.breaches}
    assert explained["missing_rate(income)"] == ()
    assert explained["distribution_shift(income)"] == ("missing_rate(income)",)


def test_what_a_dead_filter_hides_is_explained_by_its_coverage() -> None:
    ours = judge(
        (SafetyCoverage(check="output/moderation"), 1),
        (CheckTriggerRate(check="output/moderation/hate"), 1),
    )

    judgements = [ours.judge([window(day, summary(verdict=None))]) for day in range(3)]

    last = {b.identity.series: b for b in judgements[2].breaches}
    assert last["safety_coverage(output/moderation)"].inhibited_by == ()
    hidden = [b for b in last.values() if b.identity.kind is SignalKind.CANNOT_SEE]
    assert [b.identity.series for b in hidden] == ["check_trigger_rate(output/moderation/hate)"]
    assert all(b.inhibited_by == ("safety_coverage(output/moderation)",) for b in hidden)
    states = {each.finding.series: each.finding.verdict for each in judgements[2].judged}
    assert states["safety_coverage(output/moderation)"] is Verdict.BEYOND


def test_a_series_that_cannot_be_seen_for_three_windows_is_told_once() -> None:
    ours = judge((FilterErrorRate(check="output/moderation"), 1))

    judgements = [ours.judge([window(day, summary(verdict=None))]) for day in range(5)]

    kinds = [[b.identity.kind for b in judgement.breaches] for judgement in judgements]
    assert kinds == [[], [], [SignalKind.CANNOT_SEE], [], []]


@pytest.mark.parametrize("n_windows", [1, 4])
def test_the_configuration_says_when_not_seeing_is_an_incident(n_windows: int) -> None:
    ours = judge((FilterErrorRate(check="output/moderation"), 1))
    incidents = IncidentSettings(cannot_see_windows=n_windows)
    ours.configuration = replace(ours.configuration, incidents=incidents)

    judgements = [ours.judge([window(day, summary(verdict=None))]) for day in range(5)]

    told = [day for day, judgement in enumerate(judgements, start=1) if judgement.breaches]
    assert told == [n_windows]


def test_a_slice_that_the_baseline_knows_too_little_of_is_compared_with_all_traffic() -> None:
    ours = judge((DistributionShift(column="income"), 1))

    judgement = ours.judge([window(0, summary(), "all"), window(0, summary(), "region=EU")])

    assert [each.finding.n_reference_rows for each in judgement.judged] == [20_000, 20_000]


def test_the_same_window_again_changes_no_state() -> None:
    ours = judge((DistributionShift(column="income"), 2))
    ours.judge([window(0, summary(shift=0.5))])
    before = dict(ours.states)

    again = ours.judge([window(0, summary(shift=0.5))])

    assert ours.states == before
    assert again.breaches == ()


@pytest.mark.parametrize("options", [{"tolerance": 0.2}, {"confidence": 0.95}])
def test_another_option_is_another_finding(options: dict[str, float]) -> None:
    first = judge((DistributionShift(column="income"), 1))
    second = judge((DistributionShift(column="income", **options), 1))

    ids = [each.judge([window(0, summary())]).judged[0].id for each in (first, second)]

    assert ids[0] != ids[1]
