"""Findings in the light of the evidence: no window and no sentence says more than it knows."""

from pathlib import Path
from typing import Any

import numpy as np

from baselines.baseline import Baseline, Provenance
from baselines.columns import Columns, Numbers
from baselines.counting import count
from baselines.layout import AxisNeed, Layout, NumericAxis, Table
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import Window, WindowKey, WindowSummary
from detectors.base import Finding, Verdict
from detectors.distribution_shift import DistributionShift
from monitor.config.decision import DecisionQuestion, DecisionRuleKind, DecisionSettings
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
from monitor.decision.budget import FalseAlarmBudget
from monitor.engine.judgement import Judge
from monitor.engine.watching import RECENT_WINDOWS
from monitor.printing import time_text
from monitor.severity.register import Stakes, SystemRegister
from monitor.severity.scoring import FiveAxes
from monitor.windows.spec import TumblingWindows

DAY = 86_400_000_000
SCHEMA = Schema(columns=(Column(name="income", role=Role.NUMERIC, dtype=Dtype.FLOAT64),))
INCOME = NumericAxis(AxisNeed("income"), np.linspace(0, 1, 17), (np.arange(16) + 0.5) / 16)
LAYOUT = Layout((Table((INCOME,)),))
N_DAYS = 20


def summary(n_rows: int, shift: float = 0.0) -> WindowSummary:
    values = (np.arange(n_rows) + 0.5) / max(n_rows, 1) * (1 - shift)
    columns = Columns(
        n_rows=n_rows,
        time_us=np.zeros(n_rows, dtype=np.int64),
        fields={"income": Numbers(values, np.zeros(n_rows, dtype=np.bool_))},
    )
    return count(columns, LAYOUT)


def window(day: int, counts: WindowSummary) -> Window:
    return Window(WindowKey(day * DAY, (day + 1) * DAY, "all"), counts)


def judge(past: WindowSummary, whole: WindowSummary, **decided: Any) -> Judge:
    entry = DetectorEntry(
        detector=DistributionShift(column="income"),
        for_windows=2,
        place=Place(file="c.yaml", line=1, column=1, option="detectors[0]"),
        rule=decided.get("rule", DecisionRuleKind.EVIDENCE),
        critical=decided.get("critical", False),
    )
    configuration = Configuration(
        path=Path("c.yaml"),
        system=SystemRegister(name="loans", stakes=Stakes.CONSEQUENTIAL),
        source=None,
        schema=SCHEMA,
        baseline=BaselineSettings(),
        windows=TumblingWindows(seconds=86_400),
        slices=SliceSettings(),
        detectors=(entry,),
        incidents=IncidentSettings(),
        storage=StorageSettings(),
        dead_letters=DeadLetterSettings(),
        decision=decided.get("decision", DecisionSettings()),
    )
    baseline = Baseline(
        schema=SCHEMA,
        layout=LAYOUT,
        references={"all": whole},
        history=tuple(window(day, past) for day in range(N_DAYS)),
        provenance=Provenance(
            source="made by hand",
            from_us=None,
            to_us=None,
            first_us=None,
            last_us=None,
            n_rows=whole.n_rows,
            n_rejected=0,
            windows={"type": "tumbling", "seconds": 86_400},
            n_windows=N_DAYS,
            created_at_us=0,
            outputwatch_version="0",
        ),
    )
    return Judge(configuration=configuration, baseline=baseline, policy=FiveAxes())


def findings(n_rows: int, days: list[WindowSummary]) -> list[Finding]:
    ours = judge(summary(n_rows), summary(n_rows * N_DAYS))
    windows = [window(N_DAYS + day, counts) for day, counts in enumerate(days)]
    return [ours.judge([each]).judged[0].finding for each in windows]


def test_a_window_without_outputs_is_not_beyond_because_an_alarm_is_open() -> None:
    away, nothing = summary(2_000, shift=0.5), summary(0)

    found = findings(2_000, [away, away, nothing, away])

    verdicts = [finding.verdict for finding in found]
    assert verdicts[1] is verdicts[3] is Verdict.BEYOND
    assert verdicts[2] is Verdict.INSUFFICIENT_DATA
    assert found[2].effect is None


def test_an_alarm_on_too_few_outputs_to_measure_says_so() -> None:
    away = summary(40, shift=0.9)

    found = findings(80, [away, away])

    assert found[1].verdict is Verdict.BEYOND
    assert found[1].effect is None
    assert found[1].sentence.startswith("there is evidence of a change, how large cannot be said")
    assert "beyond tolerance together" not in found[1].sentence


def test_an_open_alarm_claims_no_departure_that_its_windows_do_not_show() -> None:
    slight, large, normal = summary(600, shift=0.2), summary(600, shift=0.5), summary(6_000)

    found = findings(600, [slight, large, large, normal])

    assert found[2].verdict is Verdict.BEYOND
    last = found[-1]
    assert last.verdict is Verdict.BEYOND
    assert last.sentence.startswith("the alarm is not over; the windows since the onset together:")


def test_an_alarm_names_the_budget_under_which_it_was_raised() -> None:
    days = [window(N_DAYS + day, summary(2_000, shift=0.5)) for day in (0, 1)]
    monthly = DecisionSettings(false_alarm_budget=FalseAlarmBudget(days=30))

    sentences = []
    for decision in (DecisionSettings(), monthly):
        ours = judge(summary(2_000), summary(2_000 * N_DAYS), decision=decision)
        sentences.append([ours.judge([each]).judged[0].finding.sentence for each in days][-1])

    assert sentences[0].endswith(" over all series, at a budget of 1 per 90 days")
    assert sentences[1].endswith(" over all series, at a budget of 1 per 30 days")


def test_a_change_older_than_what_is_kept_says_which_windows_are_measured() -> None:
    away = summary(2_000, shift=0.5)

    found = findings(2_000, [away] * (RECENT_WINDOWS + 3))

    assert all(each.sentence.startswith("about ") for each in found[2:RECENT_WINDOWS])
    later = [finding.sentence for finding in found[RECENT_WINDOWS:]]
    for day, sentence in enumerate(later, start=N_DAYS + 1):
        part = f"in the latest {RECENT_WINDOWS} windows, from {time_text(day * DAY)} on: "
        assert sentence.startswith(part)


def test_what_decides_a_finding_is_in_its_id() -> None:
    quiet, whole = summary(2_000), summary(2_000 * N_DAYS)
    comparison = {"question": DecisionQuestion.COMPARISON}
    policies: list[dict[str, Any]] = [
        {},
        {"critical": True},
        {"rule": DecisionRuleKind.THRESHOLD},
        {"decision": DecisionSettings(false_alarm_budget=FalseAlarmBudget(days=30))},
        {"decision": DecisionSettings(**comparison)},
        {"decision": DecisionSettings(**comparison, false_discovery_rate=0.2)},
    ]

    ids = []
    for policy in (*policies, policies[0]):
        ours, windows = judge(quiet, whole, **policy), [window(N_DAYS, quiet)]
        ours.compare_all([windows])
        ids.append(ours.judge(windows).judged[0].id)

    assert len(set(ids)) == len(policies)
    assert ids[-1] == ids[0]
