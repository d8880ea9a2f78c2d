"""Post-mortems hold what is recorded, and say what persons still have to write."""

import pytest

from monitor.incidents.acts.base import Occasion
from monitor.incidents.drafts.facts import facts_of
from monitor.incidents.postmortem.items import (
    action_items,
    due_dates,
    item_added,
    item_done,
)
from monitor.incidents.postmortem.metrics import duration_text, durations
from monitor.incidents.postmortem.report import missing, post_mortem
from monitor.incidents.postmortem.sections import SECTIONS, section_written, written_sections
from monitor.incidents.roles import People, Person, RefusedActError, Role
from monitor.incidents.timeline import EntryKind
from tests.monitor.incidents.drafts.conftest import DAY, WINDOW, Growing, make_incident

SERIES = ("gap(hired, sex)", "psi(income)")
HOUR = DAY // 24


@pytest.fixture
def growing() -> Growing:
    """Return the timeline of an incident that the monitor has just opened."""
    timeline = Growing(make_incident())
    timeline.open()
    return timeline


def by_commander(growing) -> Occasion:
    person = Person(name="Ada", role=Role.COMMANDER)
    return Occasion(by=person, people=People(), now_us=growing.now_us)


def add_item(growing, **changed: object) -> None:
    item = {
        "text": "test the prompt by group",
        "owner": "Bob",
        "due_us": growing.now_us + 7 * DAY,
        "item_kind": "remedy_people",
        "series": "gap(hired, sex)",
        **changed,
    }
    growing.append(item_added(growing.incident, item, by_commander(growing), series=SERIES))


def text_of(growing) -> str:
    facts = facts_of(growing.incident, growing.entries, {}, growing.now_us)
    return post_mortem(growing.incident, growing.entries, facts)


def test_what_is_recorded_is_filled_in_and_what_is_not_is_left_to_persons(growing) -> None:
    text = text_of(growing)

    assert "- outputs exposed: 1,280 [e2]" in text
    assert "- number of people harmed: unknown yet" in text
    assert "- to contain: unknown yet" in text
    assert text.count("to be written by a person") == len(SECTIONS) + 1
    assert "did an action make it worse for another group" in text


def test_what_a_person_wrote_takes_the_place_of_the_question(growing) -> None:
    for words in ("first words", "better words"):
        entry = section_written(growing.incident, "summary", words, by_commander(growing))
        growing.append(entry)

    text = text_of(growing)

    assert written_sections(growing.entries)["summary"].text == "better words"
    assert "better words [e4, Ada]" in text
    assert "what happened, in a few sentences" not in text


def test_a_section_that_is_not_there_is_refused(growing) -> None:
    with pytest.raises(RefusedActError, match="must be one of summary, impact"):
        section_written(growing.incident, "root_cause", "Bob", by_commander(growing))


def test_the_time_to_detect_is_an_interval_from_the_estimated_onset(growing) -> None:
    detect = durations(growing.entries)[0]

    # It began within the window, and was detected at its end.
    assert (detect.low_us, detect.high_us) == (0, DAY)
    assert duration_text(detect) == "0.0 minutes to 1.0 days [e1]"


def test_the_other_times_run_from_the_first_signal(growing) -> None:
    growing.add(EntryKind.ACKNOWLEDGED, {}, at_us=WINDOW.end_us + HOUR)
    growing.add(EntryKind.CONTAINED, {"text": "off"}, at_us=WINDOW.end_us + 2 * HOUR)
    growing.add(EntryKind.ROLLBACK_VERIFIED, {}, at_us=WINDOW.end_us + 3 * HOUR)
    growing.add(EntryKind.DRAFT_SENT, {}, at_us=WINDOW.end_us + 4 * HOUR)

    assert [each.low_us for each in durations(growing.entries)[1:]] == [
        HOUR,
        2 * HOUR,
        3 * HOUR,
        4 * HOUR,
    ]


def test_without_an_end_a_duration_is_unknown_and_not_zero(growing) -> None:
    assert {duration_text(each) for each in durations(growing.entries)[1:]} == {"unknown yet"}


def test_an_action_item_must_name_a_series_that_is_monitored(growing) -> None:
    with pytest.raises(RefusedActError, match=r"got 'psi\(age\)'; monitored are gap\(hired"):
        add_item(growing, series="psi(age)")
    with pytest.raises(RefusedActError, match="in the future"):
        add_item(growing, due_us=growing.now_us)
    with pytest.raises(RefusedActError, match="needs its owner"):
        add_item(growing, owner=" ")


def test_an_item_is_due_until_it_is_done_and_then_reviewed_after_30_and_90_days(growing) -> None:
    add_item(growing)
    before = due_dates(growing.entries)
    done_us = growing.now_us
    growing.append(item_done(growing.incident, growing.entries, 1, by_commander(growing)))

    assert [(each.who, each.due_us - done_us) for each in before] == [("Bob", 7 * DAY)]
    assert [each.due_us - done_us for each in due_dates(growing.entries)] == [30 * DAY, 90 * DAY]
    assert all("gap(hired, sex)" in each.what for each in due_dates(growing.entries))
    assert action_items(growing.entries)[0].done_us == done_us


def test_an_item_is_done_once_and_only_if_it_is_there(growing) -> None:
    with pytest.raises(RefusedActError, match="no action item 1; there are 0"):
        item_done(growing.incident, growing.entries, 1, by_commander(growing))
    add_item(growing)
    growing.append(item_done(growing.incident, growing.entries, 1, by_commander(growing)))

    with pytest.raises(RefusedActError, match="done already"):
        item_done(growing.incident, growing.entries, 1, by_commander(growing))


def test_the_check_lists_everything_that_is_missing_and_nothing_when_all_is_there(growing) -> None:
    lacks = missing(growing.incident, growing.entries)

    assert len(lacks) == len(SECTIONS) + 6

    for name in SECTIONS:
        growing.append(section_written(growing.incident, name, "words", by_commander(growing)))
    growing.add(EntryKind.RESOLVED, {})
    growing.add(EntryKind.CAUSE_STATED, {"text": "a new prompt"})
    growing.add(EntryKind.HARM_STATED, {"text": "none found in a review of all decisions"})
    growing.add(EntryKind.CLOCK_DECIDED, {"regime": "gdpr_33", "decision": "does not apply"})
    add_item(growing)

    assert missing(growing.incident, growing.entries) == ()
