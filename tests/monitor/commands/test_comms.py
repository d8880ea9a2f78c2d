"""What people are told about an incident and learn from it, on the command line."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode
from monitor.cli import run_command_line
from monitor.incidents.breaches import Breach, GroupingRules
from monitor.incidents.drafts.audiences import AUDIENCES, Audience
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.grouping import apply
from monitor.incidents.observations import Observation, SignalIdentity
from monitor.incidents.postmortem.sections import SECTIONS
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.incidents.timeline import EntryKind, TimelineEntry
from monitor.storage import Store

DAY = 86_400_000_000
WINDOW = WindowKey(20_000 * DAY, 20_001 * DAY)
CONFIGURATION = (Path(__file__).parents[1] / "config/testdata/smallest.good.yaml").read_text()
LEGAL = ["--by", "Lea", "--role", "legal"]
BOTH = [*LEGAL, "--second", "Cem", "--second-role", "communications"]
COMMANDER = ["--by", "Ada", "--role", "commander"]
PUBLISHING = ["--by", "Bob", "--role", "ml_lead"]

Run = Callable[..., str]


def a_breach() -> Breach:
    return Breach(
        identity=SignalIdentity(
            system="loan-scorer",
            environment="production",
            failure_mode=FailureMode.BIAS,
            series="gap(approved, sex)",
            slice="all",
            baseline_id="b",
        ),
        detector="gap",
        observation=Observation(
            finding_id="f",
            window=WINDOW,
            effect=Estimate(0.62, 0.55, 0.70),
            departure=Estimate(2.1, 1.6, 2.7),
            tolerance=0.8,
            unit="ratio",
            n_rows=1_000,
            n_exposed=412,
            sentence="F is approved less often",
        ),
        suggestion=Suggestion(
            tier=Tier.SEV2,
            could_be=Tier.SEV1,
            axes=Axes(effect=2, reach=2, stakes=2, reversal=2, people=2),
            policy="five_axes 1",
        ),
        onset_us=WINDOW.start_us,
    )


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return a function that runs a verb on a stored incident and gives its output."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/monitor.db"
    Path("c.yaml").write_text(f"{CONFIGURATION}storage:\n  url: {url}\n")
    with Store.open(url) as store:
        changes = apply((), [a_breach()], rules=GroupingRules(), known_us=WINDOW.end_us)
        store.incidents("loan-scorer/production").apply(changes, recorded_us=WINDOW.end_us)

    def verb(*words: str, status: int = 0) -> str:
        got = run_command_line([*words])
        output = capsys.readouterr()
        assert got == status, output
        return output.out if status == 0 else output.out + output.err

    return verb


def state_all(run: Run, audience: Audience = Audience.AFFECTED) -> None:
    for name in AUDIENCES[audience].blocking:
        if DEFINITIONS[name].human:
            run("comms", "state", "c.yaml", "1", name, f"words on {name}", *BOTH)


def test_a_draft_shows_what_is_known_what_is_not_and_what_it_rests_on(run) -> None:
    text = run("comms", "draft", "c.yaml", "1", "staff")

    assert re.search(r"^- Exposed: 412\. \[e\d+\]$", text, re.MULTILINE)
    assert "Harm: [unknown yet: whether harm occurred - to be filled by a person]." in text


def test_drafting_again_makes_no_new_version_until_facts_change(run) -> None:
    versions = [
        json.loads(run("comms", "draft", "c.yaml", "1", "staff", "--json"))["version"]
        for _ in range(2)
    ]
    run("comms", "state", "c.yaml", "1", "contact", "write to Ada", *COMMANDER)
    changed = json.loads(run("comms", "draft", "c.yaml", "1", "staff", "--json"))

    assert versions == [1, 1]
    assert changed["version"] == 2
    assert "write to Ada" in changed["text"]


def test_a_notice_goes_from_draft_to_sent_by_named_persons_only(run) -> None:
    run("comms", "draft", "c.yaml", "1", "affected")
    blocked = run("comms", "approve", "c.yaml", "1", "affected", *BOTH, status=1)
    state_all(run)
    stale = run("comms", "approve", "c.yaml", "1", "affected", *BOTH, status=1)
    run("comms", "draft", "c.yaml", "1", "affected")
    lacking = run("comms", "approve", "c.yaml", "1", "affected", *BOTH, status=1)

    assert "draft it again" in blocked or "must be known" in blocked
    assert "draft it again" in stale
    # What was done is no finding before a person signs it, and nothing was done yet.
    assert lacking.startswith("these must be known before 'affected' is approved: measures;")


def test_what_was_done_is_told_outside_once_a_person_signed_it(run, tmp_path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/monitor.db") as store:
        repository = store.incidents("loan-scorer/production")
        entry = TimelineEntry(
            kind=EntryKind.ACTION_TAKEN,
            occurred_us=WINDOW.end_us,
            known_us=WINDOW.end_us,
            actor="Ada",
            body={"text": "the old prompt is back", "role": "commander"},
        )
        incident_id = repository.find("1").id
        repository.append(incident_id, [entry], recorded_us=WINDOW.end_us)
        number = str(repository.timeline(incident_id)[-1].seq)
    state_all(run, Audience.CUSTOMERS)
    before = run("comms", "draft", "c.yaml", "1", "customers")
    unread = run("comms", "sign", "c.yaml", "1", number, *COMMANDER, status=1)
    absent = run("comms", "sign", "c.yaml", "1", "99", *COMMANDER, "--reason", "x", status=1)
    run("comms", "sign", "c.yaml", "1", number, *COMMANDER, "--reason", "I saw it answer")
    after = run("comms", "draft", "c.yaml", "1", "customers")
    run("comms", "approve", "c.yaml", "1", "customers", *BOTH)

    assert f"e{number} not signed as a finding" in before
    assert "needs words on how it was checked" in unread
    assert "got [99]" in absent
    assert f"the old prompt is back. [e{number}]" in after


def test_what_leaves_the_house_is_the_approved_text_without_citations(run) -> None:
    run("comms", "draft", "c.yaml", "1", "board")
    early = run("comms", "show", "c.yaml", "1", "board", "--to-send", status=1)
    run("comms", "approve", "c.yaml", "1", "board", *COMMANDER)
    text = run("comms", "show", "c.yaml", "1", "board", "--to-send")
    sent = [*COMMANDER, "--recipients", "5", "--how", "by hand"]
    run("comms", "sent", "c.yaml", "1", "board", *sent)
    again = run("comms", "sent", "c.yaml", "1", "board", *sent, status=1)

    assert "must be approved before it is sent" in early
    assert "[e" not in text
    assert "Outputs exposed: 412." in text
    assert "must be approved and not sent yet, it is sent" in again


def test_clocks_are_shown_and_run_only_by_counsels_decision(run) -> None:
    shown = run("comms", "clocks", "c.yaml", "1")
    run("comms", "state", "c.yaml", "1", "contact", "write to Ada", *COMMANDER)
    reason = ["--reason", "personal data was shown"]
    refused = run(
        "comms", "decide-clock", "c.yaml", "1", "gdpr_33", "--entry", "2", *COMMANDER, *reason,
        status=1,
    )  # fmt: skip
    running = json.loads(
        run(
            "comms", "decide-clock", "c.yaml", "1", "gdpr_33", "--entry", "2", *LEGAL, *reason,
            "--json",
        )
    )  # fmt: skip
    none = run(
        "comms", "decide-clock", "c.yaml", "1", "gdpr_33", "--does-not-apply", *LEGAL, *reason
    )

    assert "? Since when are we aware of the breach?" in shown
    assert "no clock runs" in shown
    assert "is decided by legal" in refused
    assert [each["due_us"] - each["started_us"] for each in running] == [3 * DAY]
    assert "no clock runs" in none


def test_a_report_under_a_duty_meets_its_clock_when_it_is_sent(run) -> None:
    report = ["c.yaml", "1", "regulator", "--regime", "gdpr_33"]
    run("comms", "draft", *report)
    run(
        "comms", "decide-clock", "c.yaml", "1", "gdpr_33", "--entry", "1", *LEGAL, "--reason", "so"
    )
    run("comms", "approve", *report, *BOTH, "--first-report")
    run(
        "comms", "sent", *report, *LEGAL, "--recipients", "1", "--how", "portal",
        "--clock", "notice",
    )  # fmt: skip

    assert json.loads(run("comms", "clocks", "c.yaml", "1", "--json"))["running"] == []


def test_the_export_marks_what_is_mandatory_and_leaves_persons_their_part(run) -> None:
    record = json.loads(run("comms", "export", "c.yaml", "1"))

    assert len(record["criteria"]) == 29
    assert record["mandatory_missing"] == [3, 4, 10, 11]


def test_templates_of_ones_own_are_linted(run) -> None:
    Path("own").mkdir()
    Path("own/staff.md").write_text("{{ exposed|default('about 100') }}")

    refused = run("comms", "draft", "c.yaml", "1", "staff", "--templates", "own", status=1)

    assert "staff.md:1: filter" in refused
    assert "nothing was drafted" in refused


def test_a_post_mortem_is_written_by_persons_around_what_is_recorded(run) -> None:
    run("postmortem", "write", "c.yaml", "1", "summary", "a prompt was changed", *COMMANDER)
    item = [
        "test it", "--owner", "Bob", "--due", "2999-01-01T00:00:00Z", "--kind", "detect",
        *COMMANDER, "--series",
    ]  # fmt: skip
    refused = run("postmortem", "item", "add", "c.yaml", "1", *item, "psi(age)", status=1)
    monitored = refused.rpartition("monitored are ")[2].strip()
    run("postmortem", "item", "add", "c.yaml", "1", *item, monitored)
    run("postmortem", "item", "done", "c.yaml", "1", "1", *COMMANDER)
    answer = ("1", "1", "it is gone", "--days", "30", "--effect", "worked", *COMMANDER)
    early = run("postmortem", "item", "effect", "c.yaml", *answer, status=1)
    text = run("postmortem", "draft", "c.yaml", "1")
    lacks = run("postmortem", "check", "c.yaml", "1", status=1)

    assert re.search(r"a prompt was changed \[e\d+, Ada\]", text)
    assert f"shown by `{monitored}`" in text
    assert "missing: section 'impact'" in lacks
    assert "review after 90 days" in lacks
    assert "is reviewed after 30 days, at" in early


def test_a_rejected_version_is_done_with_until_another_text_is_drafted(run) -> None:
    run("comms", "draft", "c.yaml", "1", "board")
    silent = run("comms", "reject", "c.yaml", "1", "board", *COMMANDER, status=1)
    run("comms", "reject", "c.yaml", "1", "board", *COMMANDER, "--reason", "too early")
    run("comms", "draft", "c.yaml", "1", "board")
    refused = run("comms", "approve", "c.yaml", "1", "board", *COMMANDER, status=1)
    both = [*PUBLISHING, "--second", "Ada", "--second-role", "commander"]
    run("comms", "state", "c.yaml", "1", "cause", "a prompt was changed", *both)
    run("comms", "draft", "c.yaml", "1", "board")
    run("comms", "approve", "c.yaml", "1", "board", *COMMANDER)
    timeline = json.loads(run("incident", "show", "c.yaml", "1", "--json"))["timeline"]

    assert "needs a reason" in silent
    assert "is rejected already; write down what it lacked" in refused
    told = [line["text"] for line in timeline if line["kind"] == "draft rejected"]
    assert told == ["because: too early"]


def test_what_was_sent_can_be_withdrawn_by_one_of_those_who_stood_by_it(run) -> None:
    run("comms", "draft", "c.yaml", "1", "board")
    early = run("comms", "withdraw", "c.yaml", "1", "board", *COMMANDER, "--reason", "x", status=1)
    run("comms", "approve", "c.yaml", "1", "board", *COMMANDER)
    run(
        "comms",
        "sent",
        "c.yaml",
        "1",
        "board",
        *COMMANDER,
        "--recipients",
        "5",
        "--how",
        "by hand",
    )
    stranger = ["--by", "Eve", "--role", "on_call", "--reason", "x"]
    refused = run("comms", "withdraw", "c.yaml", "1", "board", *stranger, status=1)
    run("comms", "withdraw", "c.yaml", "1", "board", *COMMANDER, "--reason", "a number was wrong")
    gone = run("comms", "show", "c.yaml", "1", "board", "--to-send", status=1)

    assert "must be approved or sent, it is drafted" in early
    assert "this is decided by commander" in refused
    assert "it is withdrawn" in gone


def test_a_promised_update_lies_in_the_future(run) -> None:
    run("comms", "draft", "c.yaml", "1", "board")
    run("comms", "approve", "c.yaml", "1", "board", *COMMANDER)
    sent = [*COMMANDER, "--recipients", "5", "--how", "by hand", "--next-update"]
    past = run("comms", "sent", "c.yaml", "1", "board", *sent, "2001-01-01T00:00:00Z", status=1)
    run("comms", "sent", "c.yaml", "1", "board", *sent, "2999-01-01T00:00:00Z")

    assert "must be promised for the future" in past
    with Store.open("sqlite:///monitor.db") as store:
        pending = store.incidents("loan-scorer/production").timers().pending()
    assert "promised_update" in {each.kind for each in pending}


def complete(run: Run) -> None:
    """Write everything that a post-mortem must hold."""
    for section in SECTIONS:
        run("postmortem", "write", "c.yaml", "1", section, f"words on {section}", *COMMANDER)
    run(
        "comms", "decide-clock", "c.yaml", "1", "gdpr_33", "--does-not-apply", *LEGAL,
        "--reason", "no personal data",
    )  # fmt: skip
    item = [
        "write to them", "--owner", "Bob", "--due", "2999-01-01T00:00:00Z", "--kind",
        "remedy_people", *COMMANDER, "--series",
    ]  # fmt: skip
    unknown = run("postmortem", "item", "add", "c.yaml", "1", *item, "psi(age)", status=1)
    series = unknown.rpartition("monitored are ")[2].strip()
    run("postmortem", "item", "add", "c.yaml", "1", *item, series)
    with Store.open("sqlite:///monitor.db") as store:
        repository = store.incidents("loan-scorer/production")
        entries = [
            TimelineEntry(
                kind=kind,
                occurred_us=WINDOW.end_us,
                known_us=WINDOW.end_us,
                actor="Ada",
                body={"text": "so it was", "role": "commander"},
            )
            for kind in (EntryKind.RESOLVED, EntryKind.CAUSE_STATED, EntryKind.HARM_STATED)
        ]
        repository.append(repository.find("1").id, entries, recorded_us=WINDOW.end_us)


def test_a_post_mortem_is_published_complete_by_its_owner_and_the_commander(run) -> None:
    both = [*PUBLISHING, "--second", "Ada", "--second-role", "commander"]
    lacking = run("postmortem", "publish", "c.yaml", "1", *both, status=1)
    complete(run)
    alone = run("postmortem", "publish", "c.yaml", "1", *PUBLISHING, status=1)
    text = run("postmortem", "publish", "c.yaml", "1", *both)

    assert "must be complete, it lacks: section" in lacking
    assert "needs a second person" in alone
    with Store.open("sqlite:///monitor.db") as store:
        repository = store.incidents("loan-scorer/production")
        (entry,) = [
            each.entry
            for each in repository.timeline(repository.find("1").id)
            if each.entry.kind is EntryKind.REVIEW_PUBLISHED
        ]
    assert entry.body["markdown"] == text.removesuffix("\n")
    assert entry.body["sha256"] == hashlib.sha256(entry.body["markdown"].encode()).hexdigest()
    assert (entry.actor, entry.body["second"]["name"]) == ("Bob", "Ada")
