"""``outputwatch incident report``, on incidents of a few months."""

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.cli import run_command_line
from monitor.clock import FixedClock
from monitor.engine.response.acting import ActingDesk
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.deciding import DecideSeverity, StateFact
from monitor.incidents.acts.moving import Move
from monitor.incidents.acts.opening import Report
from monitor.incidents.acts.recording import OpenEvidence
from monitor.incidents.breaches import Breach, GroupingRules
from monitor.incidents.facts import Fact
from monitor.incidents.grouping import apply
from monitor.incidents.looking_back import Month
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalIdentity, observation_of
from monitor.incidents.roles import Person, Role
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.severity.assessment import suggested
from monitor.severity.inputs import Evidence, SeverityInputs
from monitor.severity.register import Reversibility, Stakes, Vulnerability
from monitor.severity.scoring import FiveAxes
from monitor.storage import Store

DATABASE = "sqlite:///monitor.db"
MONITOR = "loans/production"
HOUR = 3_600_000_000
ADA = Person(name="ada", role=Role.COMMANDER)
BOB = Person(name="bob", role=Role.LEGAL)
POLICIES = Path(__file__).parents[3] / "configs/policies"
INPUTS = SeverityInputs(
    failure_mode=FailureMode.BEHAVIOURAL,
    departure=Estimate(1.7, 1.6, 1.8),
    evidence=Evidence.REPEATED,
    people=600,
    days=0.5,
    protected_group_worse_off=False,
    stakes=Stakes.INCONVENIENCE,
    reversibility=Reversibility.CORRECTABLE,
    vulnerable_users=Vulnerability.NONE,
)
"""Worth 2, 1, 1, 1 and 0: SEV3."""


def us(text: str) -> int:
    return int(datetime.datetime.fromisoformat(f"{text}+00:00").timestamp() * 1_000_000)


class Past:
    """Writes a past into the database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FixedClock(0)
        self.desk = ActingDesk(store=store, monitor=MONITOR, clock=self.clock)

    def breach(self, when: str, inputs: SeverityInputs, series: str) -> Incident:
        end = us(when)
        self.clock.us = end
        mode = inputs.failure_mode or FailureMode.BEHAVIOURAL
        finding = Finding(
            detector="psi", series=series, failure_mode=mode, verdict=Verdict.BEYOND,
            departure=inputs.departure, n_rows=100, sentence=f"{series} moved",
        )  # fmt: skip
        window = WindowKey(end - HOUR, end)
        breach = Breach(
            identity=SignalIdentity(
                system="loans", environment="production", failure_mode=mode, series=series,
                slice="all", baseline_id="b",
            ),
            detector="psi",
            observation=observation_of(finding, finding_id=f"{series}@{end}", window=window),
            suggestion=suggested(FiveAxes(), inputs),
            onset_us=window.start_us,
        )  # fmt: skip
        repository = self.store.incidents(MONITOR)
        changes = apply(repository.all(), [breach], rules=GroupingRules(), known_us=end)
        return repository.apply(changes, recorded_us=end)[-1]

    def act(self, incident: Incident, act: Any, *, hours: float = 1, by: Person = ADA) -> Incident:
        self.clock.us += round(hours * HOUR)
        second = BOB if by is ADA else ADA
        on = Occasion(by=by, second=second, reason="because", now_us=0)
        return self.desk.act(incident.id, act, on)


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with Store.open(DATABASE) as store:
        yield Past(store)


@pytest.fixture
def report(past: Past, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    def told(*words: str) -> Any:
        status = run_command_line(["incident", "report", "--database", DATABASE, *words])
        captured = capsys.readouterr()
        assert status == 0, captured.err
        return json.loads(captured.out) if "--json" in words else captured.out

    return told


@pytest.fixture
def october(past: Past) -> None:
    policy = FiveAxes()
    raised = past.breach("2026-10-05T10:00", INPUTS, "psi(a)")
    past.act(raised, OpenEvidence())
    past.act(raised, DecideSeverity(tier=Tier.SEV2))
    lowered = past.breach("2026-10-09T10:00", INPUTS, "psi(b)")
    past.act(lowered, DecideSeverity(tier=Tier.SEV4))
    false = past.breach("2026-10-12T10:00", INPUTS, "psi(c)")
    past.act(false, Move(to=IncidentState.DISMISSED))
    mild = replace(INPUTS, evidence=Evidence.NOT_ESTABLISHED, failure_mode=FailureMode.SAFETY)
    quiet = past.breach("2026-10-15T10:00", mild, "psi(d)")
    fact = StateFact(fact=Fact.OUTSIDE_INQUIRY, floors=policy.floors, entitled=policy.entitled)
    past.act(quiet, fact, hours=30)
    past.clock.us = us("2026-10-20T10:00")
    drill = Report(
        system="loans", environment="production", title="practice",
        failure_mode=FailureMode.SAFETY, drill=True,
    )  # fmt: skip
    past.desk.open(drill, Occasion(by=ADA, reason="practice", now_us=0))
    past.breach("2026-11-02T10:00", INPUTS, "psi(e)")


@pytest.mark.usefixtures("october")
def test_a_month_sets_suggestions_beside_decisions_and_tells_drills_apart(
    report: Callable[..., Any],
) -> None:
    month = report("--month", "2026-10", "--json")

    real = month["incidents"]
    assert (real["n"], month["drills"]["n"], month["other_months"]) == (4, 1, {"2026-11": 1})
    assert real["decisions"]["SEV3"] == {"SEV1": 0, "SEV2": 1, "SEV3": 0, "SEV4": 1}
    behavioural = next(e for e in real["overrides"] if e["failure_mode"] == "behavioural")
    assert (behavioural["share_up"], behavioural["share_down"]) == (0.5, 0.5)
    bias = next(e for e in real["overrides"] if e["failure_mode"] == "bias")
    assert (bias["decided"], bias["share_up"]) == (0, None)
    assert real["dismissed"]["SEV3"] == 1
    assert real["undecided"] == {"SEV1": 0, "SEV2": 0, "SEV3": 0, "SEV4": 1}
    assert [each["seconds"] for each in real["raised_from_sev4"]] == [30 * 3_600]
    assert (real["confirmations"], real["confirmations_after_evidence_opened"]) == (2, 1)


@pytest.mark.usefixtures("october")
def test_the_text_says_what_there_is_no_data_about(report: Callable[..., Any]) -> None:
    text = report("--month", "2026-10")

    assert text.startswith("4 incidents became known in 2026-10\ndismissed as false: 1 (1 SEV3)\n")
    assert "decided otherwise: 2 of 2" in text
    assert "no data" in text
    assert "none was reviewed or closed: there is no final severity to compare with yet" in text
    assert "confirmations and decisions after the evidence was opened: 1 of 2" in text
    assert "1.2 days" in text
    assert "1 drill in 2026-10, not counted above" in text


@pytest.mark.usefixtures("october")
def test_a_month_without_incidents_is_called_so_and_names_those_that_have_some(
    report: Callable[..., Any],
) -> None:
    assert report("--month", "2025-02") == (
        "no incident became known in 2025-02; months with incidents or drills: 2026-10 (5), "
        "2026-11 (1)\n\nno drill in 2025-02\n"
    )


def test_an_incident_belongs_to_the_month_in_which_it_became_known_in_utc(
    past: Past, report: Callable[..., Any]
) -> None:
    past.breach("2026-10-31T23:59", INPUTS, "psi(a)")

    assert report("--month", "2026-10", "--json")["incidents"]["n"] == 1
    assert report("--month", "2026-11", "--json")["incidents"]["n"] == 0
    assert str(Month.of(us("2026-11-01T00:00"))) == "2026-11"


def test_a_review_that_ended_compares_the_final_severity_with_the_first_suggestion(
    past: Past, report: Callable[..., Any]
) -> None:
    incident = past.breach("2026-10-05T10:00", INPUTS, "psi(a)")
    for state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED):
        past.act(incident, Move(to=state))
    past.act(incident, DecideSeverity(tier=Tier.SEV4))
    past.act(incident, Move(to=IncidentState.CONTAINED))
    past.act(incident, Move(to=IncidentState.MONITORING))
    past.act(incident, Move(to=IncidentState.RESOLVED, without_evidence=True))
    past.act(incident, Move(to=IncidentState.CLOSED))

    real = report("--json")["incidents"]

    assert real["finals"]["SEV3"]["SEV4"] == 1
    medians = {each["name"]: each for each in real["medians"]}
    assert medians["to acknowledge"]["low_seconds"] == 2 * 3_600
    assert medians["to a verified rollback"] == {
        "name": "to a verified rollback", "n": 0, "low_seconds": None, "high_seconds": None
    }  # fmt: skip


@pytest.mark.parametrize("text", ["2026", "2026-13", "October"])
def test_what_is_no_month_is_refused(
    past: Past, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    status = run_command_line(["incident", "report", "--database", DATABASE, "--month", text])

    assert status == 1
    assert "a month must be written as 2026-10" in capsys.readouterr().err


@pytest.mark.usefixtures("october")
def test_a_changed_policy_tells_which_past_incidents_would_move_and_moves_none(
    past: Past, report: Callable[..., Any]
) -> None:
    before = past.store.incidents(MONITOR).all()

    change = report("--policy", str(POLICIES / "assistant.severity.yaml"), "--json")
    text = report("--policy", str(POLICIES / "assistant.severity.yaml"))

    # 600 people count for more in that policy, and behaviour for less.
    assert change["policy"].startswith("assistant 2026-2 (")
    assert {each["number"]: each["after"]["suggested"] for each in change["moves"]} == {}
    assert (change["asked"], change["decided"]) == (5, 2)
    assert "none of 5 past incidents would move under assistant 2026-2" in text
    assert past.store.incidents(MONITOR).all() == before


@pytest.mark.usefixtures("october")
def test_a_stricter_policy_would_move_the_incidents_it_says(
    past: Past, report: Callable[..., Any], tmp_path: Path
) -> None:
    text = (POLICIES / "assistant.severity.yaml").read_text()
    strict = text.replace("tiers: {SEV3: 6, SEV2: 9, SEV1: 12}", "tiers: {SEV3: 4, SEV2: 6}")
    (tmp_path / "strict.yaml").write_text(strict)

    change = report("--policy", "strict.yaml", "--json")
    told = report("--policy", "strict.yaml", "--month", "2026-10")

    assert [each["after"]["suggested"] for each in change["moves"]] == ["SEV2"] * 4
    assert {each["before"]["policy"] for each in change["moves"]} == {"five_axes 1"}
    assert (change["suggested_as_decided"], change["would_be_suggested_as_decided"]) == (0, 1)
    assert "these 3 past incidents of 4 would move under assistant 2026-2" in told
    assert ": 3 graver, 0 milder" in told


def test_what_has_no_kept_inputs_is_named_and_not_guessed(
    past: Past, report: Callable[..., Any]
) -> None:
    past.clock.us = us("2026-10-20T10:00")
    reported = Report(
        system="loans", environment="production", title="letters were mixed up",
        failure_mode=FailureMode.SAFETY,
    )  # fmt: skip
    past.desk.open(reported, Occasion(by=ADA, reason="a call", now_us=0))

    text = report("--policy", str(POLICIES / "assistant.severity.yaml"))

    assert "no past incident can be asked about" in text
    assert "what the policy was told of them is not kept: #1" in text
