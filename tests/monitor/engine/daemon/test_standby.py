"""Rollbacks that no person has to begin: rehearsed, resumed, pulled, and looked at afterwards."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.engine.daemon.standby import Standby
from monitor.engine.daemon.telling import vocabulary
from monitor.engine.incident_desk import monitor_name
from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.engine.response.rolling.duties import due_pulls, left_behind, note_metrics
from monitor.incidents.breaches import Breach, GroupingRules
from monitor.incidents.grouping import apply
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalIdentity, SignalKind, observation_of
from monitor.incidents.roles import Person, Role
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.incidents.timeline import EntryKind
from monitor.rollbacks.adapter import Applied, Diff, Observed
from monitor.rollbacks.execution import EndState, Outcome, Stage, Step, StepKind, advanced
from monitor.rollbacks.ledger import Lock
from monitor.rollbacks.plans import RollbackPlan
from monitor.storage.findings import StoredFinding
from monitor.storage.store import AuditJob, Store
from monitor.storage.streams import MonitorRow
from monitor.telemetry.metrics import Metrics
from tests.monitor.rollbacks.planes import SECOND_US, Plane, TickingClock, plan_for

CONFIGURATION = load_configuration(
    Path(__file__).parents[2] / "config/testdata/smallest.good.yaml", environment={}
)
MONITOR = monitor_name(CONFIGURATION)
RULE = CONFIGURATION.detectors[0].series
OLGA = Person(name="olga", role=Role.OWNER)
BEN = Person(name="ben", role=Role.ML_LEAD)
ADA = Person(name="ada", role=Role.COMMANDER)
HOUR_US = 3_600 * SECOND_US


class Scene:
    """A monitor with one plan, its incidents, and the duty that stands by."""

    def __init__(self, store: Store, plan: RollbackPlan, clock: TickingClock) -> None:
        self.store, self.clock = store, clock
        self.seconds = 0.0
        self.metrics = Metrics(vocabulary(), version="1")
        self.configuration: Configuration = replace(CONFIGURATION, rollbacks=(plan,))
        self.desk = RollbackDesk.of(self.configuration, store, clock, wait=clock.wait)
        self.standby = self.standing(self.configuration)

    def standing(self, configuration: Configuration) -> Standby:
        return Standby(
            desk=self.desk,
            store=self.store,
            configuration=configuration,
            clock=self.clock,
            metrics=self.metrics,
            monotonic=lambda: self.seconds,
        )

    def turn(self) -> None:
        """Let the duty begin what is due, and wait until that is done."""
        self.standby(threading.Event())
        for thread in tuple(self.standby._threads.values()):
            thread.join(30)

    def ready(self, plan: str = "scorer back") -> float | None:
        return self.metrics.registry.get_sample_value("outputwatch_rollback_ready", {"plan": plan})

    def breached(self, *, held: bool = False, end_us: int | None = None) -> Incident:
        """Have the rule breach in a window that ends now, and return its incident."""
        end = self.clock.us if end_us is None else end_us
        window = WindowKey(end - HOUR_US, end)
        changes = apply(
            self.incidents(), [breach(window, held=held)], rules=GroupingRules(), known_us=end
        )
        self.store.incidents(MONITOR).apply(changes, recorded_us=end)
        return self.incidents()[-1]

    def incidents(self) -> tuple[Incident, ...]:
        return self.store.incidents(MONITOR).all()

    def armed(self) -> None:
        made = self.desk.prepare("scorer back", OLGA, "if it breaches")
        self.desk.approve(made.id, BEN, made.dry_run.hash)
        self.desk.arm(made.id, OLGA, rule=RULE, hours=48)


def finding(verdict: Verdict = Verdict.BEYOND) -> Finding:
    return Finding(
        detector="toy",
        series=RULE,
        failure_mode=FailureMode.BIAS,
        verdict=verdict,
        departure=Estimate(2.0, 1.5, 3.0),
        n_rows=100,
        sentence="it moved",
    )


def breach(window: WindowKey, *, held: bool) -> Breach:
    return Breach(
        identity=SignalIdentity(
            system=CONFIGURATION.system.name,
            environment=CONFIGURATION.system.environment,
            failure_mode=FailureMode.BIAS,
            series=RULE,
            slice="all",
            baseline_id="b",
        ),
        detector="toy",
        observation=observation_of(finding(), finding_id=f"f{window.end_us}", window=window),
        suggestion=Suggestion(
            tier=Tier.SEV3,
            could_be=Tier.SEV2,
            axes=Axes(effect=2, reach=1, stakes=1, reversal=1, people=0),
            policy="five_axes 1",
            held=held,
        ),
        onset_us=window.start_us,
    )


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    return Plane(tmp_path / "plane")


@pytest.fixture
def scene(tmp_path: Path, plane: Plane, clock: TickingClock) -> Iterator[Scene]:
    with Store.open(f"sqlite:///{tmp_path / 'monitor.db'}") as store:
        yield Scene(store, plan_for(plane), clock)


def test_every_plan_is_rehearsed_once_a_day_and_nothing_is_switched(
    scene: Scene, plane: Plane
) -> None:
    scene.turn()
    first = scene.ready()
    plane.write("plane", "unreadable")
    scene.seconds = 86_000
    scene.turn()
    within_the_day = scene.ready()
    scene.seconds = 86_500
    scene.turn()

    assert (first, within_the_day, scene.ready()) == (1, 1, 0)
    assert plane.n_applied == 0


def test_a_plan_that_is_not_ready_is_a_mild_incident_until_it_is_mended(
    scene: Scene, plane: Plane, clock: TickingClock
) -> None:
    plane.write("plane", "unreadable")
    scene.turn()
    scene.seconds = 4_000
    clock.wait(4_000)
    scene.turn()
    (incident,) = scene.incidents()
    plane.write("plane", "v8")
    scene.seconds = 8_000
    clock.wait(4_000)
    scene.turn()
    (mended,) = scene.incidents()

    assert (incident.tier, incident.kind) == (Tier.SEV4, SignalKind.NOT_READY)
    assert incident.title == "Behavioural: not ready: rollback plan 'scorer back'"
    assert "the plane is away" in incident.signals[0].worst.sentence
    assert incident.resolution_proposed is None
    assert mended.resolution_proposed is not None
    assert mended.state is IncidentState.CANDIDATE
    assert scene.ready() == 1


def test_a_plan_with_nothing_to_go_back_to_is_no_incident(scene: Scene, plane: Plane) -> None:
    there = replace(
        scene.configuration.rollbacks[0],
        options=replace(scene.configuration.rollbacks[0].options, to="v7"),
    )
    plane.write("plane", "v7")
    scene.standby = scene.standing(replace(scene.configuration, rollbacks=(there,)))

    scene.turn()

    assert scene.ready() == 0
    assert scene.incidents() == ()


@dataclass(frozen=True, kw_only=True)
class Hanging:
    """Answers when it is let go."""

    name: ClassVar[str] = "hanging_for_tests"
    let_go: ClassVar[threading.Event] = threading.Event()
    timeout_seconds: float = 1.0

    def observe(self) -> Observed:
        self.let_go.wait(60)
        return Observed(value="v8", reference="v8", revision="v8")

    def diff(self, to: str) -> Diff:
        return Diff(from_value="v8", to_value=to, text="")

    def apply(self, expect: Observed, to: str, *, key: str) -> Applied:
        raise NotImplementedError


def test_a_deployer_that_hangs_holds_up_neither_the_duty_nor_another_plan(scene: Scene) -> None:
    good = scene.configuration.rollbacks[0]
    hung = replace(good, options=replace(good.options, name="hung"), adapter=Hanging())
    standby = scene.standing(replace(scene.configuration, rollbacks=(hung, good)))

    standby(threading.Event())
    standby._threads["rehearse scorer back"].join(30)
    ready = scene.ready()
    scene.seconds = 1_000
    standby(threading.Event())
    told = scene.ready("hung")
    Hanging.let_go.set()
    standby._threads["rehearse hung"].join(30)

    assert (ready, told) == (1, 0)
    assert "did not end within" in scene.incidents()[0].signals[0].worst.sentence
    assert scene.ready("hung") == 1


def test_an_execution_whose_process_is_gone_is_resumed_and_not_sent_again(
    scene: Scene, plane: Plane, clock: TickingClock
) -> None:
    incident = scene.breached()
    made = scene.desk.prepare("scorer back", ADA, "the gap doubled", incident=incident.id)
    scene.desk.approve(made.id, BEN, made.dry_run.hash)
    ledger = scene.store.rollbacks()
    agreed = ledger.load(made.id)
    lease_us = clock.us + 20 * SECOND_US
    lock = Lock(target="scorer", execution_id=made.id, owner="gone", lease_until_us=lease_us)
    ledger.take_lock(lock, now_us=clock.us)
    sent = advanced(
        agreed, Stage.APPLYING, outcome=Outcome.UNKNOWN, applying_us=clock.us, deadline_us=0
    )
    ledger.save(sent, [Step(kind=StepKind.APPLYING, at_us=clock.us, actor="monitor")])
    plane.switch("v7")

    while_it_may_live = left_behind(scene.desk)
    clock.wait(21)
    of_another_monitor = left_behind(replace(scene.desk, monitor="other/production"))
    scene.turn()

    ended = ledger.load(made.id)
    assert (while_it_may_live, of_another_monitor) == ((), ())
    assert (ended.end, plane.n_applied) == (EndState.VERIFIED, 1)
    assert left_behind(scene.desk) == ()


def test_an_armed_plan_is_carried_out_once_when_its_rule_breaches(
    scene: Scene, plane: Plane, clock: TickingClock
) -> None:
    scene.armed()
    scene.turn()
    before = plane.n_applied
    clock.wait(7_200)
    incident = scene.breached()

    scene.turn()
    clock.wait(7_200)
    scene.breached()
    scene.turn()

    (done,) = scene.desk.executions(incident.id)
    assert before == 0
    assert (done.end, done.requested_by, plane.n_applied) == (EndState.VERIFIED, "monitor", 1)


def test_what_was_no_longer_agreed_to_is_tried_once_and_left_to_people(
    scene: Scene, plane: Plane, clock: TickingClock
) -> None:
    scene.armed()
    plane.write("plane", "v9")
    clock.wait(7_200)
    incident = scene.breached()

    scene.turn()
    scene.turn()

    (tried,) = scene.desk.executions(incident.id)
    kinds = [each.entry.kind for each in scene.store.incidents(MONITOR).timeline(incident.id)]
    assert tried.end is EndState.FAILED
    assert kinds.count(EntryKind.ROLLBACK_ABORTED) == 1
    assert plane.n_applied == 0


@pytest.mark.parametrize("why", ["held", "earlier", "drill", "recovered"])
def test_an_armed_plan_is_not_carried_out_for(scene: Scene, clock: TickingClock, why: str) -> None:
    earlier_us = clock.us
    scene.armed()
    clock.wait(7_200)
    incident = scene.breached(held=why == "held", end_us=earlier_us if why == "earlier" else None)
    changed = {
        "drill": replace(incident, drill=True),
        "recovered": replace(incident, signals=(replace(incident.signals[0], recovered=True),)),
    }.get(why)
    if changed is not None:
        scene.store.incidents(MONITOR).save(replace(changed, version=changed.version + 1))

    assert due_pulls(scene.desk) == ()


@pytest.fixture
def contained(scene: Scene) -> Scene:
    """A scene with a rollback that was verified, and windows from before and after it."""
    incident = scene.breached()
    made = scene.desk.prepare("scorer back", ADA, "the gap doubled", incident=incident.id)
    scene.desk.approve(made.id, BEN, made.dry_run.hash)
    assert scene.desk.run(made.id, ADA).contains
    scene.store.streams(MONITOR).create(
        MonitorRow(job_id="job", baseline_id="b", policy_digest="p", counting={})
    )
    job = AuditJob(id="job", config_digest="c", baseline_id="b", created_us=0)
    scene.store.write_job(job)
    return scene


@pytest.fixture
def window_after(contained: Scene) -> Callable[[int, Verdict], None]:
    ended_us = contained.desk.executions()[-1].ended_us or 0

    def write(hours: int, verdict: Verdict) -> None:
        start = ended_us + hours * HOUR_US
        stored = StoredFinding(
            id=f"f{hours}",
            job_id="job",
            key=WindowKey(start, start + HOUR_US),
            finding=finding(verdict),
        )
        contained.store.write_findings([stored])

    return write


def noted(scene: Scene) -> list[tuple[StepKind, int]]:
    ended_us = scene.desk.executions()[-1].ended_us or 0
    return [
        (step.kind, (step.body["window_start_us"] - ended_us) // HOUR_US)
        for step in scene.desk.steps(scene.desk.executions()[-1].id)
        if step.kind in (StepKind.METRIC_WITHIN, StepKind.METRIC_BEYOND)
    ]


def test_that_the_metric_came_back_is_a_later_fact_of_its_own(
    contained: Scene, window_after: Callable[[int, Verdict], None]
) -> None:
    window_after(-1, Verdict.WITHIN)
    window_after(0, Verdict.INSUFFICIENT_DATA)
    nothing_yet = note_metrics(contained.desk, contained.store, contained.configuration)
    window_after(1, Verdict.BEYOND)
    window_after(2, Verdict.BEYOND)
    contained.turn()
    window_after(3, Verdict.WITHIN)
    window_after(4, Verdict.WITHIN)
    contained.seconds = 100
    contained.turn()
    contained.seconds = 200
    contained.turn()

    assert nothing_yet == 0
    assert noted(contained) == [(StepKind.METRIC_BEYOND, 1), (StepKind.METRIC_WITHIN, 3)]
    timeline = contained.store.incidents(MONITOR).timeline(contained.incidents()[0].id)
    assert timeline[-1].entry.body["step"] == "metric_within"


def test_a_plan_names_the_series_that_are_looked_at(
    contained: Scene, window_after: Callable[[int, Verdict], None]
) -> None:
    plan = contained.configuration.rollbacks[0]
    verification = replace(plan.options.verification, series=("another_series",))
    named = replace(plan, options=replace(plan.options, verification=verification))
    contained.desk.plans = (named,)
    window_after(1, Verdict.WITHIN)

    assert note_metrics(contained.desk, contained.store, contained.configuration) == 0
