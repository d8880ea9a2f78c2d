"""Whoever changes what was written down is found, also with a hand on the file itself."""

import dataclasses
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor.incidents.timeline import FIRST_PREV, chained
from monitor.storage import Store
from tests.acceptance.case import ADA, EVE, LEA, Case


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Return a case with one incident, five entries or more, whose heads are kept elsewhere."""
    made = Case.made(tmp_path)
    made.ran("database", "upgrade", str(made.path))
    made.act("open", *EVE, "--title", "letters were mixed up", "--what", "mail merge")
    for words in ("called the bank", "wrote to the vendor"):
        made.act("note", "1", *EVE, "--text", words)
    made.act("anchor", "--to", str(heads(made)))
    return made


def heads(case: Case) -> Path:
    return case.folder / "elsewhere.jsonl"


def verified(case: Case, *, anchored: bool, status: int) -> str:
    """Verify, and return what was found wrong; the exit status must be as said."""
    options = ("--anchor", str(heads(case))) if anchored else ()
    out = case.ran("incident", "verify", str(case.path), *options, "--json", status=status)
    return "; ".join(json.loads(out)["violations"])


def behind_our_back(case: Case, *statements: str) -> None:
    """Change the database without its triggers, which are put back: nothing else shows it."""
    with closing(sqlite3.connect(case.database)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = found.fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)
        connection.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incident_entry SET body = replace(body, 'bank', 'bonk')",
        "DELETE FROM incident_entry WHERE seq = (SELECT max(seq) FROM incident_entry)",
        "INSERT OR REPLACE INTO incident_entry SELECT * FROM incident_entry WHERE seq = 2",
        "REPLACE INTO incident_entry SELECT * FROM incident_entry WHERE seq = 2",
        "UPDATE OR REPLACE incident_entry SET seq = seq + 1",
    ],
)
def test_any_program_that_writes_to_the_database_is_refused(case: Case, statement: str) -> None:
    refused = pytest.raises(sqlite3.IntegrityError, match="timeline entry")
    with closing(sqlite3.connect(case.database)) as connection, refused:
        connection.execute(statement)

    assert verified(case, anchored=True, status=0) == ""


def test_words_that_were_changed_in_the_file_itself_are_found(case: Case) -> None:
    before = case.database.read_bytes()
    assert before.count(b"called the bank") == 1
    case.database.write_bytes(before.replace(b"called the bank", b"called the bonk"))

    assert re.search(r"entry \d+ does not follow", verified(case, anchored=False, status=1))
    assert case.shown(1)["broken_links"]


def rewritten(case: Case) -> None:
    """Write milder words and every hash after them anew, as somebody who knows how would."""
    with Store.open(f"sqlite:///{case.database}") as store:
        repository = store.incidents("toy/test")
        timeline = repository.timeline(repository.find("1").id)
    statements, prev = [], FIRST_PREV
    for each in timeline:
        body = json.loads(json.dumps(each.entry.body).replace("bank", "bonk"))
        entry = type(each.entry)(**{**_fields(each.entry), "body": body})
        again = chained(
            each.incident_id, entry, seq=each.seq, recorded_us=each.recorded_us, prev=prev
        )
        statements.append(
            "UPDATE incident_entry SET body = replace(body, 'bank', 'bonk'), "
            f"prev = '{again.prev}', hash = '{again.hash}' WHERE seq = {again.seq}"
        )
        prev = again.hash
    behind_our_back(case, *statements)


def _fields(entry: object) -> dict[str, object]:
    return {each.name: getattr(entry, each.name) for each in dataclasses.fields(entry)}


def cut(case: Case) -> None:
    last = "seq = (SELECT max(seq) FROM incident_entry)"
    behind_our_back(case, f"DELETE FROM incident_entry WHERE {last}")


def removed(case: Case) -> None:
    behind_our_back(case, "DELETE FROM incident_entry", "DELETE FROM incident")


def begun_again(case: Case) -> None:
    for path in case.folder.glob("state.db*"):
        path.unlink()
    case.ran("database", "upgrade", str(case.path))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (rewritten, "has another hash than was anchored"),
        (cut, "was anchored and is gone"),
        (removed, "was anchored and is gone, 0 entries are left"),
        (begun_again, "was anchored and is gone, 0 entries are left"),
    ],
)
def test_what_the_chain_alone_cannot_show_is_found_by_an_anchor(
    case: Case, change: Callable[[Case], None], found: str
) -> None:
    change(case)

    # The chain is whole: that is why heads are kept elsewhere.
    assert verified(case, anchored=False, status=0) == ""
    assert found in verified(case, anchored=True, status=1)
    page = case.ran("incident", "verify", str(case.path), "--anchor", str(heads(case)), status=1)
    assert found in page


def test_a_correction_keeps_the_old_text_and_an_anchor_of_before_still_holds(case: Case) -> None:
    seq = case.shown(1)["timeline"][-1]["seq"]

    case.act("correct", "1", *EVE, "--entry", str(seq), "--text", "wrote to nobody")

    page = case.ran("incident", "show", str(case.path), "1")
    assert "~~wrote to the vendor" in page
    assert "wrote to nobody" in page
    assert verified(case, anchored=True, status=0) == ""


def test_of_erased_words_neither_they_nor_their_key_are_left_in_the_files_and_the_chain_holds(
    case: Case,
) -> None:
    words = "Jane Roe was refused care"
    case.act("note", "1", *LEA, "--text", words, "--private", "a complaint")
    with closing(sqlite3.connect(case.database)) as reader:
        # Somebody else, such as the daemon, has the database open all the while.
        ((key,),) = reader.execute("SELECT key FROM incident_key").fetchall()
        assert key in stored(case)

        case.act("erase", "1", *LEA, "--second", "ada", "--second-role", "owner")
        meanwhile = stored(case)
        # Once more does no harm: that is what to do when a reader was in the way.
        case.act("erase", "1", *LEA, "--second", "ada", "--second-role", "owner")

    assert words.encode() not in stored(case)
    assert key not in meanwhile
    assert key not in stored(case)
    assert verified(case, anchored=True, status=0) == ""
    refused = case.act("note", "1", *ADA, "--text", words, "--private", "again", status=1)
    assert "erased for good" in refused


def stored(case: Case) -> bytes:
    return b"".join(path.read_bytes() for path in case.folder.glob("state.db*"))
