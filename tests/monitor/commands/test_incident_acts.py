import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import run_command_line

CONFIGURATION = Path(__file__).parents[1] / "config/testdata/smallest.good.yaml"
PEOPLE = """
people:
  members:
    ada: [commander, owner]
    eve: [on_call]
    bob: [legal]
"""
ADA = ("--by", "ada", "--role", "commander", "--reason", "because")
EVE = ("--by", "eve", "--role", "on_call", "--reason", "because")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(tmp_path)
    text = CONFIGURATION.read_text(encoding="utf-8")
    text += f"{PEOPLE}\nstorage:\n  url: sqlite:///monitor.db\n"
    (tmp_path / "monitor.yaml").write_text(text, encoding="utf-8")
    from monitor.storage import Store

    Store.open("sqlite:///monitor.db").close()

    def ran(verb: str, *words: str) -> tuple[int, str, str]:
        status = run_command_line(["incident", verb, "monitor.yaml", *words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return ran


@pytest.fixture
def opened(run: Run) -> Run:
    status, _, err = run("open", *EVE, "--title", "letters were mixed up", "--what", "mail merge")
    assert status == 0, err
    return run


def standing(run: Run, *words: str) -> dict[str, Any]:
    status, out, err = run(*words, "--json")
    assert status == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_an_incident_is_worked_on_from_the_command_line_to_its_end(opened: Run) -> None:
    states = [
        standing(opened, verb, "1", *words)["state"]
        for verb, words in (
            ("ack", EVE),
            ("contain", ADA),
            ("monitor", ADA),
            ("resolve", (*ADA, "--without-evidence")),
            ("review", ADA),
            ("close", ADA),
            ("back", (*ADA, "--to", "open")),
        )
    ]

    assert states == [
        "acknowledged",
        "contained",
        "monitoring",
        "resolved",
        "in_review",
        "closed",
        "open",
    ]


def test_severity_roles_facts_and_words_are_recorded(opened: Run) -> None:
    standing(opened, "assign", "1", *EVE, "--to", "ada", "--as", "commander")
    standing(opened, "confirm", "1", *ADA, "--tier", "SEV2")
    standing(opened, "note", "1", *ADA, "--text", "called the vendor", "--kind", "action_taken")
    lifted = standing(opened, "fact", "1", *ADA, "--fact", "harm_linked")
    standing(opened, "correct", "1", *ADA, "--entry", "4", "--text", "called the bank")
    _, out, _ = opened("show", "1")

    assert (lifted["tier"], lifted["roles"]) == ("SEV1", {"commander": "ada"})
    for words in ("called the vendor", "called the bank", "harm linked", "because"):
        assert words in out


def test_a_refusal_is_one_sentence_and_changes_nothing(opened: Run) -> None:
    status, out, err = opened("resolve", "1", *EVE, "--without-evidence")

    assert (status, out) == (1, "")
    assert "cannot become" in err or "is decided by commander" in err
    assert standing(opened, "note", "1", *EVE, "--text", "still here")["state"] == "open"


def test_only_those_who_are_listed_may_act(opened: Run) -> None:
    status, _, err = opened("ack", "1", "--by", "mallory", "--role", "on_call", "--reason", "x")

    assert status == 1
    assert "'mallory' is not listed under people.members" in err


def test_what_is_private_is_not_shown_and_can_be_erased(opened: Run) -> None:
    standing(opened, "note", "1", *EVE, "--text", "Jane Roe", "--private", "a complaint")
    counsel = ("--by", "bob", "--role", "legal", "--reason", "request")

    standing(opened, "erase", "1", *counsel, "--second", "ada", "--second-role", "owner")
    _, out, _ = opened("show", "1")

    assert "a complaint" in out
    assert "Jane Roe" not in out
    assert opened("verify")[0] == 0


def test_two_incidents_are_linked_and_merged(opened: Run) -> None:
    standing(opened, "open", *EVE, "--title", "again")

    standing(opened, "link", "2", *EVE, "--to", "1", "--as", "duplicate")
    kept = standing(opened, "merge", "2", *EVE, "--into", "1")

    assert kept["number"] == 1


def test_a_change_behind_the_programs_back_is_found_with_an_anchor(
    opened: Run, tmp_path: Path
) -> None:
    status, out, _ = opened("anchor", "--to", "heads.jsonl")
    assert (status, out) == (0, "1 heads appended to heads.jsonl\n")
    heads = tmp_path / "heads.jsonl"
    assert opened("verify", "--anchor", "heads.jsonl")[0] == 0
    heads.write_text(heads.read_text().replace('"seq":1', '"seq":9'), encoding="utf-8")

    status, out, _ = opened("verify", "--anchor", "heads.jsonl")

    assert status == 1
    assert "entry 9 was anchored and is gone" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ack", "1", *EVE, "--known", "soon"), "--known"),
        (("ack", "1", *EVE, "--second", "bob"), "must be given together"),
        (("snooze", "1", *EVE, "--until", "2001-01-01T00:00:00Z"), "must end in the future"),
        (("handover", "1", *EVE, "--to", "bob", "--as", "legal", "--text", "x"), "handed over by"),
    ],
)
def test_a_wrong_word_is_told_in_one_line(
    opened: Run, words: tuple[str, ...], expected: str
) -> None:
    status, _, err = opened(*words)

    assert status == 1
    assert expected in err


def looks(run: Run) -> list[str]:
    """Return who opened the evidence, as the timeline says."""
    _, out, _ = run("show", "1", "--json")
    timeline = json.loads(out)["timeline"]
    return [line["actor"] for line in timeline if line["kind"] == "evidence opened"]


def test_whoever_looks_by_name_is_written_down_once_and_a_poll_is_not(opened: Run) -> None:
    assert looks(opened) == []

    for _ in range(2):
        status, out, _ = opened("show", "1", "--by", "eve", "--role", "on_call")
        assert status == 0
        assert "evidence opened" in out

    assert looks(opened) == ["eve"]


def test_a_decision_says_whether_the_evidence_was_opened_before(
    opened: Run, tmp_path: Path
) -> None:
    standing(opened, "assign", "1", *EVE, "--to", "ada", "--as", "commander")
    standing(opened, "confirm", "1", *ADA, "--tier", "SEV3")
    opened("show", "1", "--by", "ada", "--role", "commander")
    standing(opened, "confirm", "1", *ADA, "--tier", "SEV2")
    from monitor.storage import Store

    with Store.open(f"sqlite:///{tmp_path}/monitor.db") as store:
        (incident,) = store.incidents().all()
        entries = [each.entry for each in store.incidents().timeline(incident.id)]

    decided = [entry.body for entry in entries if "evidence_opened" in entry.body]
    assert [body["evidence_opened"] for body in decided] == [False, True]


def test_who_looks_must_be_one_who_may_act_in_that_role(opened: Run) -> None:
    status, _, err = opened("show", "1", "--by", "eve", "--role", "legal")
    alone, _, why = opened("show", "1", "--by", "eve")

    assert (status, alone) == (1, 1)
    assert "'eve' must act in a role" in err
    assert "--by and --role" in why
    assert looks(opened) == []


def test_what_was_corrected_is_struck_through_and_names_its_correction(opened: Run) -> None:
    standing(opened, "note", "1", *EVE, "--text", "called the vendor")
    _, out, _ = opened("show", "1", "--json")
    seq = json.loads(out)["timeline"][-1]["seq"]
    standing(opened, "correct", "1", *EVE, "--entry", str(seq), "--text", "called the bank")

    _, page, _ = opened("show", "1")

    assert "~~called the vendor" in page
    assert f"~~ corrected by entry {seq + 1}" in page
    assert "~~called the bank" not in page


def test_the_list_shows_what_stated_facts_make_of_the_suggestion(opened: Run) -> None:
    standing(opened, "assign", "1", *EVE, "--to", "ada", "--as", "commander")
    standing(opened, "fact", "1", *ADA, "--fact", "harm_linked")

    _, out, _ = opened("list", "--json")

    (row,) = json.loads(out)
    assert (row["suggested"], row["could_be"]) == ("SEV1", "SEV1")
    assert row["facts"] == ["harm_linked"]


def test_the_page_says_who_decides_and_who_is_missing(opened: Run) -> None:
    standing(opened, "assign", "1", *EVE, "--to", "ada", "--as", "commander")

    _, page, _ = opened("show", "1")

    assert "commander (ada)" in page
    standing(opened, "fact", "1", *ADA, "--fact", "harm_linked")
    _, grave, _ = opened("show", "1")
    assert "nobody yet      ml_lead, product, legal, communications" in grave
