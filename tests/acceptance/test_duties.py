"""What people decide holds whoever asks: tiers, merges, letters and clocks."""

import json
import re
from pathlib import Path

from monitor.printing import time_text
from tests.acceptance.case import ADA, BEN, EVE, LEA, SECOND_CEM, Case


def opened(folder: Path, title: str) -> Case:
    case = Case.made(folder)
    case.ran("database", "upgrade", str(case.path))
    case.act("open", *EVE, "--title", title)
    return case


def test_lowering_sev1_takes_a_reason_and_a_second_role_and_a_refusal_leaves_no_trace(
    tmp_path: Path,
) -> None:
    case = opened(tmp_path, "the filter is gone")
    case.fill_roles(1)
    case.act("confirm", "1", *ADA, "--tier", "SEV1")
    n_entries = len(case.shown(1)["timeline"])
    lower = ("confirm", "1", "--by", "ada", "--role", "commander", "--tier", "SEV3")
    counsel = ("--second", "lea", "--second-role", "legal")

    alone = case.act(*lower, "--reason", "it was a test", status=1)
    silent = case.act(*lower, *counsel, status=1)
    herself = ("--second", "ada", "--second-role", "owner")
    doubled = case.act(*lower, "--reason", "it was a test", *herself, status=1)

    assert "second person" in alone
    assert "needs a reason" in silent
    assert "got 'ada' as 'owner' for both" in doubled
    assert len(case.shown(1)["timeline"]) == n_entries
    assert case.act(*lower, "--reason", "it was a test", *counsel)["tier"] == "SEV3"


def test_a_merge_keeps_both_timelines_and_both_times_of_awareness(tmp_path: Path) -> None:
    case = opened(tmp_path, "letters were mixed up")
    case.act("open", *EVE, "--title", "letters again")
    belief = ("--kind", "belief_stated", "--text", "I have reason to believe it")
    at = {1: "2026-11-20T09:00:00Z", 2: "2026-11-21T15:00:00Z"}
    for number, when in at.items():
        case.act("note", str(number), *ADA, *belief, "--occurred", when, "--known", when)
    before = {number: case.shown(number)["timeline"] for number in at}
    kept_from = case.shown(1)["id"]

    kept = case.act("merge", "1", *ADA, "--into", "2")

    assert kept["number"] == 2
    for number, when in at.items():
        shown = case.shown(number)
        assert shown["timeline"][: len(before[number])] == before[number]
        text = case.ran("postmortem", "draft", str(case.path), str(number))
        assert f"belief stated: {when}" in text
    case.act("verify")
    # Counsel sees both: the duty may run from when the first of them was known.
    (duty,) = [
        each
        for each in json.loads(case.comms("clocks", "2", "--json"))["duties"]
        if each["id"] == "fda_803"
    ]
    candidates = [
        (time_text(each["from_us"]), each["merged_from"] == kept_from)
        for each in duty["clocks"][0]["candidates"]
        if each["kind"] == "belief_stated"
    ]
    assert candidates == [(at[2], False), (at[1], True)]
    told = re.search(r"earliest (\S+), then due", case.comms("clocks", "2"))
    assert told is not None
    assert told[1] == at[1]
    assert f"belief stated, of {kept_from[:12]} that was merged in: {at[1]}" in case.ran(
        "postmortem", "draft", str(case.path), "2"
    )


def test_a_draft_with_a_blocking_unknown_is_not_approved_and_no_template_makes_up_a_number(
    tmp_path: Path,
) -> None:
    case = opened(tmp_path, "letters were mixed up")
    case.fill_roles(1)
    text = case.comms("draft", "1", "affected")
    refused = case.comms("approve", "1", "affected", *LEA, *SECOND_CEM, status=1)

    assert "[unknown yet:" in text
    assert "must be known before 'affected' is approved" in refused
    own = tmp_path / "own"
    own.mkdir()
    for trap in ("about 412 people", "{{ n_harmed or 0 }}", "{{ exposed|default(3) }}", "{{ 4 }}"):
        (own / "staff.md").write_text(trap)
        said = case.comms("draft", "1", "staff", "--templates", str(own), status=1)
        assert "staff.md:1:" in said


def test_each_duty_is_due_by_the_time_that_counsel_chose_and_working_days_skip_a_holiday(
    tmp_path: Path,
) -> None:
    case = opened(tmp_path, "letters were mixed up")
    # The Thursday in between, 26 November 2026, is a holiday.
    for kind, when in (("belief_stated", "09"), ("determined", "15")):
        at = f"2026-11-23T{when}:00:00Z"
        words = ("--kind", kind, "--text", kind, "--occurred", at, "--known", at)
        case.act("note", "1", *ADA, *words)
    aware, determined = (each["seq"] for each in case.shown(1)["timeline"][-2:])
    chosen = {
        ("gdpr_33", aware): "2026-11-26T09:00:00Z",
        ("new_york_raise", determined): "2026-11-26T15:00:00Z",
        ("eu_ai_act_73", determined): "2026-12-08T15:00:00Z",
        ("fda_803", determined, "--clock", "five_days"): "2026-12-01T15:00:00Z",
    }

    for duty, entry, *more in chosen:
        case.comms("decide-clock", "1", duty, "--entry", str(entry), *more, *LEA)

    running = case.comms("clocks", "1")
    due = dict(re.findall(r"^RUNS (\S+) .* due (\S+), since", running, re.MULTILINE))
    assert due == {duty: when for (duty, *_), when in chosen.items()}
    case.comms("decide-clock", "1", "gdpr_33", "--entry", str(determined), *LEA)
    assert "due 2026-11-26T15:00:00Z, since" in case.comms("clocks", "1")
    decided = [e for e in case.shown(1)["timeline"] if e["kind"] == "clock decided"]
    assert [each["actor"] for each in decided] == ["lea"] * (len(chosen) + 1)
    assert all("because of what was seen" in each["text"] for each in decided)
    refused = case.comms("decide-clock", "1", "gdpr_33", "--entry", str(aware), *BEN, status=1)
    assert "is decided by legal" in refused
