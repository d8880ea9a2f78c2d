"""What a timeline promises becomes timers: clocks, action items, reviews, the next update."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detectors.base import FailureMode
from monitor.clock import FixedClock
from monitor.engine.response.acting import ActingDesk
from monitor.engine.response.due import fire_due_timers, match_promises, matched_timers
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.opening import Report
from monitor.incidents.postmortem.effects import Effect, effect_reviewed
from monitor.incidents.postmortem.items import due_dates, item_added, item_done
from monitor.incidents.promises import promises
from monitor.incidents.regimes.clocks import clock_met, decide_clock, running_clocks
from monitor.incidents.roles import Person, RefusedActError, Role
from monitor.incidents.silences import Silence
from monitor.incidents.states import IncidentState
from monitor.incidents.timeline import EntryKind, TimelineEntry
from monitor.incidents.timers import Timer, TimerKind
from monitor.storage.store import Store

MONITOR = "loans/production"
HOUR = 3_600_000_000
DAY = 24 * HOUR
NOW = 1_800_000_000_000_000  # a Friday, 08:00 UTC
LEGAL = Person(name="bob", role=Role.LEGAL)
COMMANDER = Person(name="ada", role=Role.COMMANDER)
CLOCKS = {TimerKind.CLOCK_HALF_OVER, TimerKind.CLOCK_ENDS_SOON, TimerKind.CLOCK_ENDED}


class Case:
    """An incident whose timeline is written by hand."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, FixedClock(NOW)
        self.incidents = store.incidents(MONITOR)
        report = Report(
            system="loans",
            environment="production",
            title="refusals",
            failure_mode=FailureMode.SAFETY,
        )
        desk = ActingDesk(store=store, monitor=MONITOR, clock=self.clock)
        self.incident = desk.open(report, self.on(COMMANDER))

    def on(self, by: Person = COMMANDER) -> Occasion:
        return Occasion(by=by, reason="because", now_us=self.clock.us)

    @property
    def timeline(self) -> Any:
        return self.incidents.timeline(self.incident.id)

    def write(self, *entries: TimelineEntry) -> None:
        with self.store.begin():
            self.incidents.append(self.incident.id, entries, recorded_us=self.clock.us)
            matched_timers(self.incidents, self.incident.id, now_us=self.clock.us)

    def pending(self, *kinds: TimerKind) -> list[Timer]:
        found = self.incidents.timers().pending(self.incident.id)
        return sorted((t for t in found if t.kind in kinds), key=lambda each: each.due_us)

    def fire(self) -> list[TimerKind]:
        fired = fire_due_timers(self.store, MONITOR, now_us=self.clock.us)
        return [each.timer.kind for each in fired]

    def start_clock(self) -> None:
        entries = decide_clock(
            self.incident, self.timeline, "gdpr_33", self.on(LEGAL), trigger_seq=1
        )
        self.write(*entries)

    def add_item(self, due_us: int) -> None:
        item = {
            "text": "add a guardrail",
            "owner": "eve",
            "due_us": due_us,
            "item_kind": "prevent",
            "series": "psi(x)",
        }
        self.write(item_added(self.incident, item, self.on(), series={"psi(x)"}))


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Store.open(f"sqlite:///{tmp_path / 'outputwatch.db'}") as store:
        yield Case(store)


def test_no_clock_has_timers_before_counsel_lets_it_run(case: Case) -> None:
    case.clock.us += 100 * DAY
    case.fire()

    assert not running_clocks(case.timeline)
    assert case.pending(*CLOCKS) == []


def test_a_clock_that_runs_is_told_at_half_near_its_end_and_at_its_end(case: Case) -> None:
    case.start_clock()

    timers = case.pending(*CLOCKS)

    end = NOW + 72 * HOUR
    assert [(each.kind, each.due_us) for each in timers] == [
        (TimerKind.CLOCK_HALF_OVER, NOW + 36 * HOUR),
        (TimerKind.CLOCK_ENDS_SOON, end - 12 * HOUR),
        (TimerKind.CLOCK_ENDED, end),
    ]


def test_a_clock_that_is_met_is_not_told_any_more(case: Case) -> None:
    case.start_clock()
    clock = running_clocks(case.timeline)[0]

    case.write(clock_met(case.timeline, clock.regime_id, clock.clock, case.on(LEGAL)))

    assert case.pending(*CLOCKS) == []


def test_counsel_who_looks_late_gets_no_warnings_about_the_past(case: Case) -> None:
    case.clock.us += 50 * HOUR
    case.start_clock()

    kinds = [each.kind for each in case.pending(*CLOCKS)]

    assert kinds == [TimerKind.CLOCK_ENDS_SOON, TimerKind.CLOCK_ENDED]


def test_a_clock_that_ends_is_written_as_missed_once_and_told_again_each_day(case: Case) -> None:
    case.start_clock()
    case.clock.us += 73 * HOUR

    first = case.fire()
    case.clock.us += DAY
    second = case.fire()

    assert set(first) >= CLOCKS
    assert [kind for kind in second if kind in CLOCKS] == [TimerKind.CLOCK_ENDED]
    kinds = [each.entry.kind for each in case.timeline]
    assert kinds.count(EntryKind.CLOCK_MISSED) == 1
    texts = [
        each.entry.body["text"]
        for each in case.timeline
        if each.entry.body.get("timer") == TimerKind.CLOCK_ENDED
    ]
    assert all("gdpr_33" in text and "the time is over" in text for text in texts)


def test_a_warning_is_not_told_again_because_the_tier_changes(case: Case) -> None:
    case.start_clock()
    case.clock.us += 40 * HOUR
    assert TimerKind.CLOCK_HALF_OVER in case.fire()

    changed = case.incidents.find(case.incident.id)
    worse = replace(changed, could_be=changed.could_be, drill=False, version=changed.version + 1)
    confirmed = replace(worse, confirmed=next(t for t in type(worse.tier) if t != worse.tier))
    case.incidents.save(confirmed)
    case.write()

    assert case.pending(TimerKind.CLOCK_HALF_OVER) == []
    assert {each.tier for each in case.pending(TimerKind.CLOCK_ENDED)} == {confirmed.tier}


def test_a_silence_does_not_mute_a_clock(case: Case) -> None:
    case.incidents.silences().save(
        Silence(
            id="s" * 64, owner="ada", role="owner", reason="quiet", from_us=NOW,
            until_us=NOW + 400 * HOUR, created_us=NOW,
        )
    )  # fmt: skip
    case.start_clock()
    case.clock.us += 40 * HOUR

    requests = fire_due_timers(case.store, MONITOR, now_us=case.clock.us)

    muted = {each.timer.kind: each.muted_by for each in requests}
    assert muted[TimerKind.CLOCK_HALF_OVER] is None


def test_an_action_item_that_is_overdue_is_told_each_worked_day_until_it_is_done(
    case: Case,
) -> None:
    case.add_item(NOW + HOUR)  # a Friday
    case.clock.us += 2 * HOUR

    assert TimerKind.ACTION_ITEM in case.fire()
    again = case.pending(TimerKind.ACTION_ITEM)
    assert [each.due_us for each in again] == [NOW + 2 * HOUR + 3 * DAY]

    case.clock.us += 4 * DAY
    assert TimerKind.ACTION_ITEM in case.fire()
    case.write(item_done(case.incident, case.timeline, 1, case.on()))
    assert case.pending(TimerKind.ACTION_ITEM) == []


def test_what_was_done_is_looked_at_after_30_and_90_days(case: Case) -> None:
    case.add_item(NOW + HOUR)
    case.write(item_done(case.incident, case.timeline, 1, case.on()))
    effects = (TimerKind.EFFECT_AFTER_30_DAYS, TimerKind.EFFECT_AFTER_90_DAYS)

    due = [each.due_us for each in case.pending(*effects)]
    case.clock.us += 31 * DAY
    fired = case.fire()

    assert due == [NOW + 30 * DAY, NOW + 90 * DAY]
    assert TimerKind.EFFECT_AFTER_30_DAYS in fired
    assert [each.kind for each in case.pending(*effects)] == [*effects]
    assert case.pending(effects[0])[0].due_us > case.clock.us
    assert any("psi(x)" in each.text for each in promises(case.timeline))


def reviewed(case: Case, days: int = 30, text: str = "the gap is gone") -> TimelineEntry:
    return effect_reviewed(
        case.incident,
        case.timeline,
        1,
        case.on(),
        days=days,
        effect=Effect.WORKED,
        text=text,
    )


def test_a_review_of_an_effect_is_due_until_a_person_answers_it(case: Case) -> None:
    case.add_item(NOW + HOUR)
    case.write(item_done(case.incident, case.timeline, 1, case.on()))
    case.clock.us += 31 * DAY
    first = case.fire()
    case.clock.us += 7 * DAY
    again = case.fire()

    case.write(reviewed(case))

    thirty, ninety = TimerKind.EFFECT_AFTER_30_DAYS, TimerKind.EFFECT_AFTER_90_DAYS
    assert thirty in first
    assert thirty in again
    assert case.pending(thirty) == []
    assert len(case.pending(ninety)) == 1
    assert [each.what for each in due_dates(case.timeline)] == [
        "review after 90 days whether action item 1 worked: see psi(x)"
    ]
    assert "worked: the gap is gone" in case.timeline[-1].entry.body["text"]


def test_an_effect_is_reviewed_once_when_it_is_time_and_in_words(case: Case) -> None:
    case.add_item(NOW + HOUR)
    with pytest.raises(RefusedActError, match="1 is not done"):
        reviewed(case)
    case.write(item_done(case.incident, case.timeline, 1, case.on()))
    with pytest.raises(RefusedActError, match=r"is reviewed after 30 days, at .*psi\(x\) then"):
        reviewed(case)
    case.clock.us += 31 * DAY
    with pytest.raises(RefusedActError, match="needs words"):
        reviewed(case, text=" ")
    with pytest.raises(RefusedActError, match="after 30 or 90 days, got 60"):
        reviewed(case, days=60)
    case.write(reviewed(case))

    with pytest.raises(RefusedActError, match="was reviewed already"):
        reviewed(case)


def test_closed_incidents_keep_their_promises_although_nobody_acts_on_them(case: Case) -> None:
    case.add_item(NOW + HOUR)
    case.write(item_done(case.incident, case.timeline, 1, case.on()))
    over = replace(case.incident, state=IncidentState.CLOSED, version=case.incident.version + 1)
    case.incidents.save(over)
    timers = case.incidents.timers()
    # As if the timers had been written by a release that did not know of them.
    timers.cancel(timers.pending(case.incident.id), at_us=case.clock.us)
    case.clock.us += 31 * DAY

    match_promises(case.store, MONITOR, now_us=case.clock.us)

    assert TimerKind.EFFECT_AFTER_30_DAYS in case.fire()
    case.write(reviewed(case))
    assert case.pending(TimerKind.EFFECT_AFTER_30_DAYS) == []


def test_only_incidents_that_may_owe_something_are_read_when_they_are_over(case: Case) -> None:
    over = replace(case.incident, state=IncidentState.CLOSED, version=case.incident.version + 1)
    case.incidents.save(over)
    before = case.incidents.keeping_promises()

    case.add_item(NOW + HOUR)

    assert before == ()
    assert case.incidents.keeping_promises() == (case.incident.id,)


def sent(case: Case, next_update_us: int | None) -> TimelineEntry:
    body = {"subject": "customers", "next_update_us": next_update_us, "how": "mail"}
    return case.on().entry(EntryKind.DRAFT_SENT, body)


def test_a_promised_update_is_due_until_something_is_sent_on_that_subject(case: Case) -> None:
    case.write(sent(case, NOW + 5 * HOUR))
    assert [each.due_us for each in case.pending(TimerKind.PROMISED_UPDATE)] == [NOW + 5 * HOUR]

    case.clock.us += HOUR
    case.write(sent(case, NOW + 9 * HOUR))
    assert [each.due_us for each in case.pending(TimerKind.PROMISED_UPDATE)] == [NOW + 9 * HOUR]

    case.clock.us += HOUR
    case.write(sent(case, None))
    assert case.pending(TimerKind.PROMISED_UPDATE) == []


def test_who_went_ahead_alone_is_reviewed_within_a_day(case: Case) -> None:
    about = {"rollback": "r" * 64, "plan": "model"}
    alone = TimelineEntry(
        kind=EntryKind.ROLLBACK_APPROVED,
        occurred_us=NOW,
        known_us=NOW,
        actor="eve",
        body={**about, "step": "break_glass"},
    )
    case.write(alone)
    assert [each.due_us for each in case.pending(TimerKind.BREAK_GLASS_REVIEW)] == [NOW + DAY]

    reviewed = replace(
        alone, kind=EntryKind.ROLLBACK_STEP, actor="ada", body={**about, "step": "reviewed"}
    )
    case.write(reviewed)

    assert case.pending(TimerKind.BREAK_GLASS_REVIEW) == []
