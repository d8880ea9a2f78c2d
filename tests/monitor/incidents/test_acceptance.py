"""What an incident must keep, whoever works on it: one test for each promise."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detectors.base import Estimate, FailureMode
from monitor.clock import FixedClock
from monitor.engine.response.acting import ActingDesk
from monitor.engine.response.due import fire_due_timers, match_all_timers, matched_timers
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.deciding import DecideSeverity, StateFact
from monitor.incidents.acts.moving import Move
from monitor.incidents.acts.opening import Report
from monitor.incidents.acts.recording import Correct, WriteDown
from monitor.incidents.anchors import append_anchors, read_anchors, violations
from monitor.incidents.breaches import GroupingRules
from monitor.incidents.facts import Fact
from monitor.incidents.grouping import apply
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalKind
from monitor.incidents.roles import Person, RefusedActError, Role
from monitor.incidents.silences import Silence, muting
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, chained, superseded
from monitor.incidents.timers import TimerKind
from monitor.incidents.vault import VaultError
from monitor.severity.inputs import Evidence, SeverityInputs
from monitor.severity.register import Reversibility, Stakes, Vulnerability
from monitor.severity.scoring import FiveAxes
from monitor.storage import Store

HOUR = 3_600_000_000
MINUTE = 60_000_000
NOW = 1_000 * HOUR
MONITOR = "loans/production"
POLICY = FiveAxes()
ON_CALL = Person(name="eve", role=Role.ON_CALL)
COMMANDER = Person(name="ada", role=Role.COMMANDER)
LEGAL = Person(name="bob", role=Role.LEGAL)


def on(by: Person = COMMANDER, **options: Any) -> Occasion:
    return Occasion(by=by, **{"now_us": NOW, "reason": "because", **options})


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'outputwatch.db'}") as opened:
        yield opened


@pytest.fixture
def response(store: Store, clock: FixedClock) -> ActingDesk:
    return ActingDesk(store=store, monitor=MONITOR, clock=clock)


@pytest.fixture
def see(store: Store, clock: FixedClock) -> Callable[..., Incident]:
    def seen(*breaches: Any) -> Incident:
        repository = store.incidents(MONITOR)
        changes = apply(repository.all(), breaches, rules=GroupingRules(), known_us=clock.now_us())
        stored = repository.apply(changes, recorded_us=clock.now_us())
        return stored[-1]

    return seen


def test_twelve_slices_that_breach_at_once_are_one_incident_with_twelve_signals_and_one_page(
    store: Store, see: Any, breach: Any, clock: FixedClock
) -> None:
    incident = see(*(breach(slice_=f"region={n}") for n in range(12)))
    match_all_timers(store, MONITOR, now_us=NOW)
    clock.us += 5 * MINUTE

    requests = fire_due_timers(store, MONITOR, now_us=clock.us)

    assert len(incident.signals) == 12
    assert len(store.incidents(MONITOR).all()) == 1
    pages = [each for each in requests if each.timer.kind is TimerKind.ACKNOWLEDGE]
    assert [each.incident_id for each in pages] == [incident.id]


def test_a_metric_that_goes_quiet_stays_open_and_not_seeing_is_told(
    see: Any, breach: Any, store: Store
) -> None:
    incident = see(breach())
    blind = breach(hour=5)
    blind = replace(blind, identity=replace(blind.identity, kind=SignalKind.CANNOT_SEE))

    see(blind)

    first, second = store.incidents(MONITOR).all()
    assert (first.id, first.state) == (incident.id, IncidentState.CANDIDATE)
    assert first.resolution_proposed is None
    assert second.kind is SignalKind.CANNOT_SEE


def test_broken_input_explains_a_drift_until_it_is_repaired(
    see: Any, breach: Any, store: Store, response: ActingDesk
) -> None:
    broken = breach("missing_rate(x)", tier=Tier.SEV3)
    cause = see(broken, breach("psi(x)", inhibited_by=("missing_rate(x)",)))
    assert [each.identity.series for each in cause.inhibited_signals] == ["psi(x)"]
    for state in (IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED):
        response.act(cause.id, Move(to=state, without_evidence=True), on())

    again = see(breach("psi(x)", 30, inhibited_by=("missing_rate(x)",)))

    assert again.id != cause.id
    assert [each.identity.series for each in again.own_signals] == ["psi(x)"]


def test_the_same_breach_from_two_workers_is_one_incident(store: Store, breach: Any) -> None:
    repository = store.incidents(MONITOR)
    both = [apply((), [breach()], rules=GroupingRules(), known_us=NOW) for _ in range(2)]

    for changes in both:
        repository.apply(changes, recorded_us=NOW)

    assert len(repository.all()) == 1
    opened = [
        each.entry.kind
        for each in repository.timeline(both[0].opened[0])
        if each.entry.kind is EntryKind.OPENED
    ]
    assert opened == [EntryKind.OPENED]


def test_a_worse_input_never_lowers_the_suggestion_in_a_hundred_thousand_steps() -> None:
    policy = FiveAxes()
    chance = random.Random(20_261_124)
    cache: dict[SeverityInputs, tuple[int, int]] = {}

    def ranks(inputs: SeverityInputs) -> tuple[int, int]:
        if inputs not in cache:
            suggestion = policy.suggest(inputs)
            cache[inputs] = (suggestion.tier.rank, suggestion.could_be.rank)
        return cache[inputs]

    steps = 0
    while steps < 100_000:
        at = {name: chance.randrange(len(scale)) for name, scale in SCALES.items()}
        here = inputs_at(at)
        for name, scale in SCALES.items():
            if at[name] + 1 < len(scale):
                before, after = ranks(here), ranks(inputs_at({**at, name: at[name] + 1}))
                assert after[0] <= before[0], (name, here)
                assert after[1] <= before[1], (name, here)
                steps += 1


def _estimate(low: float) -> Estimate:
    return Estimate(low + 0.3, low, low + 0.8)


SCALES: dict[str, list[Any]] = {
    "departure": [_estimate(low) for low in (0.5, 1.0, 1.5, 3.0)],
    "evidence": list(Evidence),
    "share": [0.0, 0.001, 0.05, 0.25],
    "people": [0, 50, 1_000, 50_000],
    "days": [0.0, 1.0, 7.0, 30.0],
    "protected_group_worse_off": [False, True],
    "impact_ratio": [Estimate(r, r - 0.1, r + 0.1) for r in (0.9, 0.6)],
    "stakes": list(Stakes),
    "reversibility": list(Reversibility),
    "vulnerable_users": list(Vulnerability),
    "shadow": [True, False],
    "facts": [
        frozenset[Fact](),
        frozenset({Fact.CLOCK_72_HOURS}),
        frozenset({Fact.CLOCK_72_HOURS, Fact.HARM_LINKED}),
    ],
}


def inputs_at(at: dict[str, int]) -> SeverityInputs:
    return SeverityInputs(**{name: SCALES[name][index] for name, index in at.items()})


def test_lowering_sev1_takes_a_reason_and_a_second_role(
    see: Any, breach: Any, response: ActingDesk
) -> None:
    incident = see(breach(tier=Tier.SEV1))
    lower = DecideSeverity(tier=Tier.SEV3)

    with pytest.raises(RefusedActError, match="second person"):
        response.act(incident.id, lower, on())
    with pytest.raises(RefusedActError, match="needs a reason"):
        response.act(incident.id, lower, on(second=LEGAL, reason=""))
    with pytest.raises(RefusedActError, match="for both"):
        response.act(incident.id, lower, on(second=replace(COMMANDER, name="carl")))

    assert response.act(incident.id, lower, on(second=LEGAL)).tier is Tier.SEV3


def test_rewriting_and_cutting_a_timeline_is_found_by_an_anchor(
    see: Any, breach: Any, response: ActingDesk, tmp_path: Path
) -> None:
    incident = see(breach())
    for text in ("first", "second"):
        response.act(incident.id, WriteDown(text=text), on())
    timeline = response.incidents.timeline(incident.id)
    path = tmp_path / "elsewhere.jsonl"
    append_anchors(path, {incident.id: timeline}, at_us=NOW)
    anchors = read_anchors(path)
    last = timeline[-1]
    milder = replace(last.entry, body={**last.entry.body, "text": "milder"})
    edited = (*timeline[:-1], replace(last, entry=milder))
    hashed = (
        *timeline[:-1],
        chained(incident.id, milder, seq=last.seq, recorded_us=NOW, prev=last.prev),
    )

    assert violations({incident.id: timeline}, anchors) == ()
    assert "does not follow" in violations({incident.id: edited})[0]
    assert violations({incident.id: hashed}) == ()
    assert "another hash" in violations({incident.id: hashed}, anchors)[0]
    assert "is gone" in violations({incident.id: timeline[:-1]}, anchors)[0]
    assert "is gone" in violations({}, anchors)[0]


def test_a_correction_keeps_the_old_text(see: Any, breach: Any, response: ActingDesk) -> None:
    incident = see(breach())
    response.act(incident.id, WriteDown(text="we saw it at nine"), on())
    seq = response.incidents.timeline(incident.id)[-1].seq

    response.act(incident.id, Correct(seq=seq, text="we saw it at eight"), on())

    timeline = response.incidents.timeline(incident.id)
    assert timeline[seq - 1].entry.body["text"] == "we saw it at nine"
    assert superseded(timeline) == {seq: seq + 1}


def test_what_was_due_while_nobody_ran_fires_once_the_worst_first_and_is_marked_late(
    see: Any, breach: Any, response: ActingDesk, store: Store, clock: FixedClock
) -> None:
    mild = see(breach("psi(x)", slice_="region=EU", tier=Tier.SEV4, could_be=Tier.SEV3))
    grave = see(breach("psi(y)", 50, slice_="language=en", tier=Tier.SEV1))
    match_all_timers(store, MONITOR, now_us=clock.us)
    clock.us += 3 * 24 * HOUR

    requests = fire_due_timers(store, MONITOR, now_us=clock.us)
    again = fire_due_timers(store, MONITOR, now_us=clock.us)

    ids = [each.incident_id for each in requests]
    assert ids == sorted(ids, key=lambda each: each != grave.id)
    assert set(ids) == {grave.id, mild.id}
    assert again == ()
    told = [
        each.entry.body["late"]
        for each in response.incidents.timeline(grave.id)
        if each.entry.kind is EntryKind.TIMER_FIRED
    ]
    assert len(told) > 3
    assert all(told)


def test_a_timer_that_was_claimed_by_a_program_that_died_fires_after_the_lease(
    see: Any, breach: Any, response: ActingDesk, store: Store, clock: FixedClock
) -> None:
    see(breach())
    match_all_timers(store, MONITOR, now_us=clock.us)
    clock.us += 5 * MINUTE
    claimed = response.incidents.timers().claim(now_us=clock.us, lease_us=MINUTE)

    assert claimed
    assert fire_due_timers(store, MONITOR, now_us=clock.us) == ()
    assert fire_due_timers(store, MONITOR, now_us=clock.us + MINUTE)


def test_acknowledging_stops_the_pages_and_starts_the_rhythm_of_updates(
    see: Any, breach: Any, response: ActingDesk, store: Store, clock: FixedClock
) -> None:
    incident = see(breach())
    match_all_timers(store, MONITOR, now_us=clock.us)

    response.act(incident.id, Move(to=IncidentState.ACKNOWLEDGED), on(ON_CALL))

    pending = {each.kind for each in response.incidents.timers().pending(incident.id)}
    assert pending == {TimerKind.DECIDE_SEVERITY, TimerKind.LEGAL_SCREEN, TimerKind.UPDATE}
    clock.us += HOUR
    fire_due_timers(store, MONITOR, now_us=clock.us)
    rhythm = [
        each
        for each in response.incidents.timers().pending(incident.id)
        if each.kind is TimerKind.UPDATE
    ]
    assert [each.due_us for each in rhythm] == [clock.us + HOUR]
    before = response.incidents.timers().pending()
    assert matched_timers(response.incidents, incident.id, now_us=clock.us + 1) == before


def test_a_drill_goes_from_end_to_end_and_every_request_carries_the_banner(
    response: ActingDesk, store: Store, clock: FixedClock
) -> None:
    report = Report(
        system="loans",
        environment="production",
        title="exercise: the filter is gone",
        failure_mode=FailureMode.SAFETY,
        drill=True,
    )
    incident = response.open(report, on(ON_CALL))
    clock.us += 2 * 24 * HOUR
    requests = list(fire_due_timers(store, MONITOR, now_us=clock.us))
    for state in (
        IncidentState.ACKNOWLEDGED,
        IncidentState.CONTAINED,
        IncidentState.MONITORING,
        IncidentState.RESOLVED,
        IncidentState.IN_REVIEW,
        IncidentState.CLOSED,
    ):
        response.act(incident.id, Move(to=state, without_evidence=True), on())
    requests += fire_due_timers(store, MONITOR, now_us=clock.us)

    assert response.incidents.find(incident.id).state is IncidentState.CLOSED
    assert requests
    assert all(each.drill for each in requests)
    assert response.incidents.timers().pending() == ()


def silence(**options: Any) -> Silence:
    return Silence(
        **{
            "id": "s" * 64,
            "owner": "ada",
            "role": "owner",
            "reason": "migration",
            "from_us": NOW - HOUR,
            "until_us": NOW + 90 * HOUR,
            "series": "psi(*",
            "created_us": NOW - HOUR,
            **options,
        }
    )


def test_a_silence_mutes_a_page_and_it_is_recorded(
    see: Any, breach: Any, response: ActingDesk, store: Store, clock: FixedClock
) -> None:
    incident = see(breach())
    response.incidents.silences().save(silence())
    match_all_timers(store, MONITOR, now_us=clock.us)
    clock.us += 5 * MINUTE

    requests = fire_due_timers(store, MONITOR, now_us=clock.us)

    assert {each.muted_by for each in requests} == {silence().id}
    kinds = [each.entry.kind for each in response.incidents.timeline(incident.id)]
    assert EntryKind.SILENCED in kinds


@pytest.mark.parametrize("found_by_the_monitor", [True, False])
def test_a_silence_cannot_mute_a_fact_that_sets_a_floor(
    see: Any, breach: Any, response: ActingDesk, *, found_by_the_monitor: bool
) -> None:
    incident = see(breach(floor=Tier.SEV2 if found_by_the_monitor else None))
    if not found_by_the_monitor:
        assert muting(incident, [silence()], NOW) is not None
        act = StateFact(fact=Fact.HARM_LINKED, floors=POLICY.floors, entitled=POLICY.entitled)
        incident = response.act(incident.id, act, on(LEGAL))

    assert muting(incident, [silence()], NOW) is None


@pytest.mark.parametrize(
    "other",
    [
        {"series": "gap(*"},
        {"slice": "region=*"},
        {"failure_mode": FailureMode.BIAS},
        {"until_us": NOW},
        {"from_us": NOW + 1},
        {"ended_us": NOW},
    ],
)
def test_a_silence_mutes_only_what_it_names_while_it_lasts(
    see: Any, breach: Any, other: dict[str, Any]
) -> None:
    assert muting(see(breach()), [silence(**other)], NOW) is None


def test_erasing_what_was_kept_about_people_leaves_the_timeline_whole(
    see: Any, breach: Any, response: ActingDesk, tmp_path: Path
) -> None:
    incident = see(breach())
    words = "Jane Roe was refused care"
    commitment = response.seal(incident.id, words, "a complaint", on(LEGAL))
    assert response.unseal(incident.id, commitment) == words

    response.erase(incident.id, on(LEGAL, second=replace(COMMANDER)))

    with pytest.raises(VaultError, match="erased for good"):
        response.unseal(incident.id, commitment)
    with pytest.raises(VaultError, match="erased for good"):
        response.seal(incident.id, words, "again", on(LEGAL))
    timeline = response.incidents.timeline(incident.id)
    assert violations({incident.id: timeline}) == ()
    assert timeline[-1].entry.kind is EntryKind.ERASED
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("outputwatch.db*"))
    assert words.encode() not in stored


def test_a_merge_of_stored_incidents_keeps_both_timelines(
    see: Any, breach: Any, response: ActingDesk
) -> None:
    first = see(breach("psi(x)", slice_="region=EU"))
    other = see(breach("psi(y)", 50, slice_="language=en"))

    kept = response.merge(first.id, other.id, on())

    assert kept.id == other.id
    assert response.incidents.find(first.id).merged_into == other.id
    for each, kind in ((first, EntryKind.MERGED), (other, EntryKind.MERGED_FROM)):
        timeline = response.incidents.timeline(each.id)
        assert timeline[0].entry.kind is EntryKind.OPENED
        assert timeline[-1].entry.kind is kind
        assert violations({each.id: timeline}) == ()


def test_everything_people_do_works_without_a_network(
    see: Any, breach: Any, response: ActingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unplugged(*_: object, **__: object) -> None:
        message = "the network is unplugged"
        raise OSError(message)

    monkeypatch.setattr("socket.socket.connect", unplugged)
    monkeypatch.setattr("socket.create_connection", unplugged)
    incident = see(breach(tier=Tier.SEV3))

    response.act(incident.id, Move(to=IncidentState.ACKNOWLEDGED), on(ON_CALL))
    response.act(incident.id, Move(to=IncidentState.CONTAINED), on())
    done = response.act(incident.id, Move(to=IncidentState.RESOLVED, without_evidence=True), on())

    assert done.state is IncidentState.RESOLVED


def test_the_monitor_never_undoes_what_a_person_decided(
    see: Any, breach: Any, response: ActingDesk
) -> None:
    incident = see(breach(could_be=Tier.SEV2))
    response.act(incident.id, Move(to=IncidentState.ACKNOWLEDGED), on(ON_CALL))
    response.act(incident.id, DecideSeverity(tier=Tier.SEV4), on(second=LEGAL))

    after = see(breach(hour=1, tier=Tier.SEV1))

    assert after.id == incident.id
    assert after.state is IncidentState.ACKNOWLEDGED
    assert (after.tier, after.suggested) == (Tier.SEV4, Tier.SEV1)
