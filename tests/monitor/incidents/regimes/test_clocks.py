"""Clocks run from what counsel chooses, and from nothing else."""

from datetime import UTC, datetime

import pytest

from monitor.incidents.acts.base import Occasion
from monitor.incidents.regimes.clocks import (
    clock_met,
    decide_clock,
    first_notice,
    running_clocks,
    screen,
)
from monitor.incidents.regimes.library import regimes
from monitor.incidents.roles import People, Person, RefusedActError, Role
from monitor.incidents.timeline import MONITOR, EntryKind
from monitor.printing import time_text
from tests.monitor.incidents.drafts.conftest import Growing, make_incident


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


AWARE, DETERMINED, NOW = us("2026-11-23 09:00"), us("2026-11-23 15:00"), us("2026-11-23 16:00")
COUNSEL = Occasion(
    by=Person(name="Lea", role=Role.LEGAL), reason="we are bound", people=People(), now_us=NOW
)


@pytest.fixture
def timeline() -> Growing:
    """Return a timeline with awareness at 09:00 and determination at 15:00."""
    growing = Growing(make_incident())
    growing.add(EntryKind.OPENED, {"signals": []}, actor=MONITOR, at_us=us("2026-11-23 08:00"))
    growing.add(EntryKind.ACKNOWLEDGED, {}, at_us=AWARE)
    growing.add(EntryKind.DETERMINED, {"text": "it is one"}, at_us=DETERMINED)
    growing.now_us = NOW
    return growing


def decide(timeline, regime_id, trigger, *, clocks=(), occasion=COUNSEL) -> None:
    for entry in decide_clock(
        timeline.incident,
        timeline.entries,
        regime_id,
        occasion,
        trigger_seq=trigger,
        clocks=clocks,
    ):
        timeline.append(entry)


def due(timeline) -> dict[str, str]:
    return {
        f"{each.regime_id}/{each.clock}": time_text(each.due_us)
        for each in running_clocks(timeline.entries)
    }


def test_nothing_runs_by_itself(timeline) -> None:
    screen(timeline.entries, NOW)

    assert running_clocks(timeline.entries) == ()


def test_aware_and_determined_give_different_due_times_under_each_duty(timeline) -> None:
    decide(timeline, "gdpr_33", 2)
    decide(timeline, "new_york_raise", 3)
    decide(timeline, "eu_ai_act_73", 3)
    decide(timeline, "fda_803", 3, clocks=("five_days",))

    assert due(timeline) == {
        "gdpr_33/notice": "2026-11-26T09:00:00Z",
        "new_york_raise/report": "2026-11-26T15:00:00Z",
        # Thursday is a holiday, so five working days end a week and a day later.
        "fda_803/five_days": "2026-12-01T15:00:00Z",
        "eu_ai_act_73/serious": "2026-12-08T15:00:00Z",
    }


def test_the_same_duty_is_due_six_hours_later_when_determined_six_hours_later(timeline) -> None:
    decide(timeline, "gdpr_33", 2)
    aware = due(timeline)
    decide(timeline, "gdpr_33", 3)

    assert aware == {"gdpr_33/notice": "2026-11-26T09:00:00Z"}
    assert due(timeline) == {"gdpr_33/notice": "2026-11-26T15:00:00Z"}


def test_the_choice_is_recorded_with_person_reason_and_the_edition_of_the_file(timeline) -> None:
    decide(timeline, "gdpr_33", 2)

    decided = next(
        each.entry for each in timeline.entries if each.entry.kind is EntryKind.CLOCK_DECIDED
    )

    assert (decided.actor, decided.body["role"]) == ("Lea", "legal")
    assert decided.body["reason"] == "we are bound"
    assert decided.body["decision"] == "applies"
    assert (decided.body["trigger"], decided.body["regime_version"]) == (2, 1)


def test_that_a_duty_does_not_apply_is_recorded_and_stops_its_clocks(timeline) -> None:
    decide(timeline, "gdpr_33", 2)
    decide(timeline, "gdpr_33", None)

    assert running_clocks(timeline.entries) == ()
    shown = {each.regime.id: each.decision for each in screen(timeline.entries, NOW)}
    assert shown["gdpr_33"] == "does not apply"
    assert shown["fda_803"] is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.LEGAL])
def test_nobody_but_counsel_lets_a_clock_run(timeline, role) -> None:
    other = Occasion(by=Person(name="Ada", role=role), reason="so", people=People(), now_us=NOW)

    with pytest.raises(RefusedActError, match="legal clock is decided by legal"):
        decide(timeline, "gdpr_33", 2, occasion=other)


def test_a_decision_without_a_reason_is_refused(timeline) -> None:
    silent = Occasion(by=COUNSEL.by, people=People(), now_us=NOW)

    with pytest.raises(RefusedActError, match="needs a reason"):
        decide(timeline, "gdpr_33", None, occasion=silent)


def test_a_time_that_is_no_entry_cannot_be_chosen(timeline) -> None:
    with pytest.raises(RefusedActError, match="no entry 99"):
        decide(timeline, "gdpr_33", 99)


def test_conditional_clocks_run_only_when_they_are_named(timeline) -> None:
    decide(timeline, "eu_ai_act_73", 2)

    assert list(due(timeline)) == ["eu_ai_act_73/serious"]
    with pytest.raises(RefusedActError, match="name one of: within_2_days"):
        decide(timeline, "eu_ai_act_55", 2)


def test_the_earliest_time_is_the_first_notice_to_any_person(timeline) -> None:
    shown = {each.regime.id: each for each in screen(timeline.entries, NOW)}

    notice = shown["new_york_raise"].clocks[0]

    assert notice.earliest_us == AWARE
    assert time_text(notice.earliest_due_us) == "2026-11-26T09:00:00Z"
    assert [each.from_us for each in notice.candidates] == [DETERMINED]


def test_a_delivered_notification_is_notice(timeline) -> None:
    delivered = us("2026-11-23 08:05")
    timeline.add(EntryKind.NOTIFIED, {"channel": "pager"}, actor=MONITOR, at_us=delivered)

    assert first_notice(timeline.entries).from_us == delivered


def test_while_nobody_was_told_no_time_is_shown() -> None:
    growing = Growing(make_incident())
    growing.open()

    clocks = [clock for each in screen(growing.entries, NOW) for clock in each.clocks]

    assert {clock.earliest_us for clock in clocks} == {None}
    assert all(clock.note for clock in clocks)


def test_every_duty_is_shown_with_its_questions_and_whether_it_is_in_force(timeline) -> None:
    shown = screen(timeline.entries, NOW)

    assert [each.regime.id for each in shown] == list(regimes())
    by_id = {each.regime.id: each for each in shown}
    assert by_id["gdpr_33"].in_force
    assert not by_id["new_york_raise"].in_force
    assert not any(each.stale for each in shown)
    assert all(each.stale for each in screen(timeline.entries, us("2027-06-01 00:00")))


def test_a_clock_that_was_met_runs_no_more_and_says_whether_it_was_late(timeline) -> None:
    decide(timeline, "gdpr_33", 2)
    late = Occasion(by=COUNSEL.by, people=People(), now_us=us("2026-11-27 09:00"))

    entry = clock_met(timeline.entries, "gdpr_33", "notice", late)
    timeline.append(entry)

    assert entry.body["late"] is True
    assert running_clocks(timeline.entries) == ()
    with pytest.raises(RefusedActError, match="does not run"):
        clock_met(timeline.entries, "gdpr_33", "notice", late)
