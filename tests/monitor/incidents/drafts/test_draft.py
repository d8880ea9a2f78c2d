"""Versions, approval, and that no draft holds a number that no entry holds."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.incidents.acts.base import Occasion
from monitor.incidents.drafts.approval import (
    approved,
    created,
    drafts_of,
    sent_by_hand,
)
from monitor.incidents.drafts.audiences import WHEN, Audience
from monitor.incidents.drafts.draft import (
    Draft,
    DraftStage,
    drafted,
    rules_of,
    stage_of,
    subject_of,
    text_to_send,
)
from monitor.incidents.drafts.facts import facts_of
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.drafts.linter import TemplateError
from monitor.incidents.roles import People, Person, RefusedActError, Role
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, TimelineEntry
from monitor.printing import time_text

LEGAL = Person(name="Lea", role=Role.LEGAL)
COMMUNICATIONS = Person(name="Cem", role=Role.COMMUNICATIONS)
COMMANDER = Person(name="Ada", role=Role.COMMANDER)


def draft_of(growing, subject, version=1) -> Draft:
    facts = facts_of(
        growing.incident,
        growing.entries,
        {"stakes": "consequential"},
        growing.now_us,
        outside=rules_of(subject).outside,
    )
    return drafted(growing.incident.id, subject, facts, version=version, now_us=growing.now_us)


def act(by=LEGAL, second=COMMUNICATIONS, now_us=0) -> Occasion:
    return Occasion(by=by, second=second, people=People(), now_us=now_us)


def approve(growing, draft, *, by=None, current_hash=None, first_report=False) -> TimelineEntry:
    return approved(
        growing.incident,
        draft,
        growing.entries,
        by or act(),
        current_hash=current_hash or draft.hash,
        first_report=first_report,
    )


def fill(growing, subject) -> None:
    for name in rules_of(subject).blocking:
        if name == "measures":
            seq = growing.add(EntryKind.ACTION_TAKEN, {"text": "prompt reverted"})
            growing.add(EntryKind.FINDING_SIGNED, {"entries": [seq], "text": "checked"})
        elif DEFINITIONS[name].human:
            growing.state(name, f"words on {DEFINITIONS[name].label}")


def test_a_draft_with_a_blocking_unknown_cannot_be_approved(growing) -> None:
    draft = draft_of(growing, "affected")

    with pytest.raises(RefusedActError, match="must be known before 'affected' is approved: purp"):
        approve(growing, draft)


def test_a_draft_without_one_is_approved_by_legal_with_communications(growing) -> None:
    fill(growing, "affected")
    draft = draft_of(growing, "affected")

    entry = approve(growing, draft)

    assert draft.blocking == ()
    assert entry.kind is EntryKind.DRAFT_APPROVED
    assert entry.actor == "Lea"
    assert entry.body["second"] == {"name": "Cem", "role": "communications"}
    assert (entry.body["hash"], entry.body["hash_to_send"]) == (draft.hash, draft.hash_to_send)


@pytest.mark.parametrize(
    ("by", "second"),
    [
        (COMMANDER, COMMUNICATIONS),
        (LEGAL, None),
        (LEGAL, Person(name="Lea", role=Role.COMMUNICATIONS)),
        (LEGAL, COMMANDER),
        (COMMUNICATIONS, LEGAL),
    ],
)
def test_nobody_else_approves_what_people_are_told(growing, by, second) -> None:
    fill(growing, "affected")

    with pytest.raises(RefusedActError):
        approve(growing, draft_of(growing, "affected"), by=act(by, second))


def test_a_first_report_of_a_phased_duty_may_say_unknown(growing) -> None:
    draft = draft_of(growing, "regulator:gdpr_33")

    with pytest.raises(RefusedActError, match="must be known"):
        approve(growing, draft)
    entry = approve(growing, draft, first_report=True)

    assert draft.blocking
    assert "[unknown yet: number of records - to be filled by a person]" in draft.text
    assert entry.body["first_report"] is True


@pytest.mark.parametrize("subject", ["affected", "public", "regulator:california_sb_53"])
def test_no_other_draft_goes_out_as_an_incomplete_first_report(growing, subject) -> None:
    with pytest.raises(RefusedActError, match="does not allow a first report"):
        approve(growing, draft_of(growing, subject), first_report=True)


def test_an_approval_is_for_one_text_and_refused_once_facts_have_changed(growing) -> None:
    fill(growing, "public")
    draft = draft_of(growing, "public")
    growing.state("next_update", "tomorrow at noon")

    with pytest.raises(RefusedActError, match="draft it again"):
        approve(growing, draft, current_hash=draft_of(growing, "public").hash)


def test_a_changed_text_is_a_version_that_nobody_approved(growing) -> None:
    fill(growing, "public")
    first = draft_of(growing, "public")
    growing.append(approve(growing, first))
    growing.state("next_update", "tomorrow at noon")
    second = draft_of(growing, "public", version=2)

    assert stage_of(first, growing.entries) is DraftStage.APPROVED
    assert stage_of(second, growing.entries) is DraftStage.DRAFTED


def test_a_text_is_sent_by_hand_once_and_only_after_approval(growing) -> None:
    fill(growing, "customers")
    draft = draft_of(growing, "customers")
    how = {"recipients": 12, "how": "account managers"}

    with pytest.raises(RefusedActError, match="must be approved"):
        sent_by_hand(growing.incident, draft, growing.entries, act(), **how)
    growing.append(approve(growing, draft))
    entry = sent_by_hand(growing.incident, draft, growing.entries, act(), **how)
    growing.append(entry)

    assert entry.body["recipients"] == 12
    assert stage_of(draft, growing.entries) is DraftStage.SENT
    with pytest.raises(RefusedActError, match="it is sent"):
        sent_by_hand(growing.incident, draft, growing.entries, act(), **how)


def test_a_text_that_reached_nobody_was_not_sent(growing) -> None:
    fill(growing, "customers")
    draft = draft_of(growing, "customers")
    growing.append(approve(growing, draft))

    with pytest.raises(RefusedActError, match="at least one recipient"):
        sent_by_hand(growing.incident, draft, growing.entries, act(), recipients=0, how="post")


def test_a_drill_sends_nothing(growing) -> None:
    growing.incident = replace(growing.incident, drill=True)

    with pytest.raises(RefusedActError, match="drill"):
        sent_by_hand(
            growing.incident,
            draft_of(growing, "staff"),
            growing.entries,
            act(),
            recipients=1,
            how="post",
        )


def test_versions_are_read_back_from_the_timeline_as_they_were(growing) -> None:
    first = draft_of(growing, "staff")
    growing.append(created(first, changed=False))
    growing.state("contact", "Ada")
    second = draft_of(growing, "staff", version=2)
    growing.append(created(second, changed=True))

    assert drafts_of(growing.entries) == {"staff": [first, second]}


def test_making_drafts_does_not_change_what_they_say(growing) -> None:
    first = draft_of(growing, "board")
    growing.append(created(first, changed=False))

    assert draft_of(growing, "board").hash == first.hash


@pytest.mark.parametrize(
    "subject", ["affected", "customers", "public", "staff", "board", "regulator:eu_ai_act_73"]
)
def test_every_sentence_cites_an_entry_or_says_unknown(growing, subject) -> None:
    fill(growing, "public")

    sentences = [
        line
        for line in draft_of(growing, subject).text.splitlines()
        if line.strip() and not line.startswith("#")
    ]

    assert sentences
    assert all(re.search(r"\[(e\d+|register)|\[unknown yet: ", line) for line in sentences)


def test_what_leaves_the_house_holds_no_citations(growing) -> None:
    fill(growing, "affected")

    text = text_to_send(draft_of(growing, "affected").text)

    assert "[e" not in text
    assert "words on what was done, in plain words" in text


def test_a_letter_holds_no_times_of_a_machine_and_no_method(growing) -> None:
    fill(growing, "affected")

    text = draft_of(growing, "affected").text

    assert "UTC" in text
    assert not re.search(r"\dT\d\d:\d\d|estimated|window", text)


def test_every_text_about_a_drill_says_so_first(growing) -> None:
    facts = facts_of(growing.incident, growing.entries, {}, growing.now_us)

    draft = drafted(
        growing.incident.id, "staff", facts, version=1, now_us=growing.now_us, drill=True
    )

    assert draft.text.startswith("**DRILL: this is practice.")
    assert text_to_send(draft.text).startswith("**DRILL: this is practice.")


def test_a_report_needs_a_duty_and_other_drafts_have_none() -> None:
    with pytest.raises(TemplateError, match="under one duty"):
        subject_of(Audience.REGULATOR, None)
    with pytest.raises(TemplateError, match="under one duty"):
        subject_of(Audience.STAFF, "gdpr_33")
    assert subject_of(Audience.REGULATOR, "gdpr_33") == "regulator:gdpr_33"


def test_when_a_draft_is_due_is_told_for_every_tier_and_audience() -> None:
    assert set(WHEN) == set(Tier)
    assert all(set(row) == set(Audience) for row in WHEN.values())


NUMBER = re.compile(r"\d[\d,.]*\d|\d")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=25)
STATEMENTS = st.dictionaries(
    st.sampled_from(sorted(name for name, each in DEFINITIONS.items() if each.human)),
    st.builds(lambda words, n: f"{words} {n}", WORDS, st.integers(0, 10**9)),
    max_size=12,
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    statements=STATEMENTS,
    subject=st.sampled_from(
        ["affected", "customers", "public", "staff", "board", "regulator:eu_ai_act_73"]
    ),
)
def test_no_draft_holds_a_number_that_its_cited_entries_do_not_hold(
    growing, statements, subject
) -> None:
    growing.entries.clear()
    growing.now_us = growing.incident.last_window.end_us
    growing.open()
    for name, text in statements.items():
        growing.state(name, text)

    draft = draft_of(growing, subject)

    said = re.sub(r"\[(?:e\d+|register)(?:, (?:e\d+|register))*\]", "", draft.text)
    assert set(NUMBER.findall(said)) <= _numbers(growing, draft.refs)


def _numbers(growing, refs) -> set[str]:
    """Return every number of the cited entries, and of the times in them as they are printed."""
    found = set()
    for each in growing.entries:
        if f"e{each.seq}" in refs:
            entry = each.entry
            body = json.dumps(entry.body, ensure_ascii=False).replace("[", "(").replace("]", ")")
            times = [entry.occurred_us, entry.known_us, *map(int, re.findall(r"\d{15,17}", body))]
            for text in (*map(time_text, times), *_texts(entry.body)):
                found.update(NUMBER.findall(text))
    return found


def _texts(value) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [str(value)]
