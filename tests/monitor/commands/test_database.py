"""``outputwatch database``, as a user runs it on a monitor that has run."""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import run_command_line
from monitor.storage import Store

CONFIGURATION = """
version: 1
system: {name: loans, environment: test, stakes: consequential}
source: {type: files, paths: ["*.jsonl"]}
schema:
  columns:
    - {name: ts, role: timestamp}
    - {name: id, role: event_id}
    - {name: income, role: numeric}
    - {name: region, role: slice}
baseline: {reference: {to: "2026-01-13T00:00:00Z"}}
windows: {type: tumbling, seconds: 21600}
slices: {by: [region]}
detectors:
  - {type: distribution_shift, column: income, tolerance: 0.3, rule: threshold}
run: {telemetry: null}
retention: {full_days: 10, daily_days: 20, findings_days: 5, ledger_days: 1}
"""
START, DAY = 1_767_225_600, 86_400
N_DAYS = 60
Answer = Callable[..., tuple[int, dict[str, Any]]]


def write_log(path: Path, *, shift_from: int = N_DAYS) -> None:
    chance = random.Random(3)
    with path.open("w") as file:
        for number in range(N_DAYS * 40):
            day = number // 40
            event = {
                "ts": START + day * DAY + chance.randrange(DAY),
                "id": f"e{number}",
                "income": chance.gauss(90 if day >= shift_from else 50, 10),
                "region": chance.choice(["EU", "US"]),
            }
            file.write(json.dumps(event) + "\n")
        file.write("{not JSON\n")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a monitor ran, and an audit too."""
    folder = tmp_path_factory.mktemp("ran")
    write_log(folder / "log.jsonl")
    (folder / "watch.yaml").write_text(CONFIGURATION)
    configuration = str(folder / "watch.yaml")
    decision = ["--promote", "--who", "Ada", "--why", "first days"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_command_line(["baseline", "fit", configuration, *decision]) == 0
        assert run_command_line(["run", configuration, "--until-caught-up"]) == 0
        assert run_command_line(["audit", configuration]) == 0
    return folder


@pytest.fixture
def folder(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ran, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> Answer:
    def ask(*words: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = run_command_line(["database", *words, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return ask


def change(statement: str) -> None:
    connection = sqlite3.connect("outputwatch.db")
    connection.execute(statement)
    connection.commit()
    connection.close()


def sentences(found: dict[str, Any], check: str) -> list[str]:
    return [each["sentence"] for each in found["problems"] if each["check"] == check]


def test_a_database_that_was_only_written_by_us_is_fine(answer: Answer) -> None:
    status, found = answer("check", "watch.yaml")

    assert (status, found["problems"], found["remarks"]) == (0, [], [])
    assert "that windows hold every row" in found["checked"]


def test_without_a_configuration_the_check_says_what_it_leaves_out(answer: Answer) -> None:
    status, found = answer("check", "--database", "sqlite:///outputwatch.db")

    assert (status, found["fine"]) == (0, True)
    assert found["remarks"] == [
        "rows against windows and the evidence were not looked at, they take a CONFIG"
    ]


@pytest.mark.parametrize(
    ("statement", "check", "sentence"),
    [
        ("UPDATE window_summary SET n_rows = n_rows + 1", "windows", "it counts"),
        ("UPDATE window_summary SET body = x'00'", "windows", "cannot be read"),
        ("DELETE FROM window_summary", "findings", "windows that are not stored"),
        ("DELETE FROM window_summary WHERE slice = 'all'", "rows", "must hold 2400 rows"),
        (
            "UPDATE partition SET tally = json_set(tally, '$.n_records', 7777)",
            "tallies",
            "have no account",
        ),
        ("UPDATE monitor SET snapshot = x'00'", "evidence", "is damaged"),
        ("UPDATE alembic_version SET version_num = '0001'", "revision", "upgrade"),
    ],
)
def test_what_cannot_be_right_is_said(
    answer: Answer, statement: str, check: str, sentence: str
) -> None:
    change(statement)

    status, found = answer("check", "watch.yaml")

    assert status == 1
    assert sentence in sentences(found, check)[0]
    assert len(sentences(found, check)) <= 21


def test_evidence_of_another_version_is_a_remark(answer: Answer) -> None:
    connection = sqlite3.connect("outputwatch.db")
    ((snapshot,),) = connection.execute("SELECT snapshot FROM monitor")
    older = snapshot.replace(b"outputwatch evidence", b"outputwatch old evidence", 1)
    connection.execute("UPDATE monitor SET snapshot = ?", (older,))
    connection.commit()
    connection.close()

    status, found = answer("check", "watch.yaml")

    assert (status, found["problems"]) == (0, [])
    assert "another version" in found["remarks"][0]


def test_a_baseline_that_is_gone_is_a_problem(answer: Answer, folder: Path) -> None:
    for path in (folder / "baselines").glob("*.owbl"):
        path.unlink()

    status, found = answer("check", "watch.yaml")

    assert status == 1
    assert "cannot be read" in sentences(found, "evidence")[0]


def test_the_check_changes_nothing(answer: Answer, folder: Path) -> None:
    change("UPDATE alembic_version SET version_num = '0001'")
    answer("check", "watch.yaml")

    connection = sqlite3.connect("outputwatch.db")
    revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    assert revision == ("0001",)


def test_pages_that_are_overwritten_are_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change("PRAGMA wal_checkpoint(TRUNCATE)")
    with Path("outputwatch.db").open("r+b") as file:
        file.seek(40 * 4_096)
        file.write(b"\xff" * 4_096 * 20)

    status = run_command_line(["database", "check", "--database", "sqlite:///outputwatch.db"])

    output = "".join(capsys.readouterr())
    assert status == 1
    assert "backup" in output
    assert "Traceback" not in output


def test_an_upgrade_creates_what_is_not_there_and_then_changes_nothing(answer: Answer) -> None:
    first = answer("upgrade", "--database", "sqlite:///new.db")
    second = answer("upgrade", "--database", "sqlite:///new.db")

    head = first[1]["after"]
    assert first == (0, {"before": None, "after": head, "changed": True})
    assert second == (0, {"before": head, "after": head, "changed": False})


def test_a_backup_is_a_database_that_passes_the_check(answer: Answer) -> None:
    status, found = answer("backup", "watch.yaml", "copy.db")

    assert (status, found["kind"]) == (0, "sqlite")
    assert answer("check", "--database", "sqlite:///copy.db")[0] == 0


def test_a_trial_run_says_what_pruning_then_does(answer: Answer) -> None:
    before = list(jobs_and_windows())

    status, would_be = answer("prune", "watch.yaml", "--dry-run")
    unchanged = list(jobs_and_windows())
    _, done = answer("prune", "watch.yaml")

    assert status == 0
    assert would_be.pop("dry_run") is True
    assert done.pop("dry_run") is False
    assert unchanged == before
    assert done["windows_added_up"] == would_be["windows_added_up"] > 0
    assert done["findings_dropped"] == would_be["findings_dropped"] > 0


def test_after_pruning_the_check_is_still_fine_and_all_rows_are_there(answer: Answer) -> None:
    _, done = answer("prune", "watch.yaml")

    status, found = answer("check", "watch.yaml")

    assert done["months_made"] > 0
    assert (status, found["problems"]) == (0, [])
    assert "that windows hold every row" in found["checked"]


def test_pruning_again_does_nothing(answer: Answer) -> None:
    answer("prune", "watch.yaml")

    _, again = answer("prune", "watch.yaml")

    assert {value for name, value in again.items() if name not in ("kept", "dry_run")} == {0}


def test_a_monitor_goes_on_after_pruning_and_after_its_evidence_is_lost(
    answer: Answer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer("prune", "watch.yaml")
    change("UPDATE monitor SET snapshot = NULL")
    with (folder / "log.jsonl").open("a") as file:
        for number in range(40):
            event = {"ts": START + (N_DAYS + 1) * DAY, "id": f"n{number}", "income": 50}
            file.write(json.dumps({**event, "region": "EU"}) + "\n")

    status = run_command_line(["run", "watch.yaml", "--until-caught-up"])

    assert status == 0
    assert answer("check", "watch.yaml")[1]["problems"] == []


def test_a_backtest_says_which_windows_it_cannot_judge(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    change("UPDATE audit_job SET created_us = 0")
    answer("prune", "watch.yaml")

    status = run_command_line(["backtest", "watch.yaml", "--policy", "watch.yaml", "--json"])

    captured = capsys.readouterr()
    windows_left = json.loads(captured.out)["windows"]
    assert status == 0
    assert windows_left < N_DAYS * 4
    assert "were added up to days and months" in captured.err


def jobs_and_windows() -> list[tuple[str, int]]:
    with Store.open("sqlite:///outputwatch.db") as store:
        return [(job.id, store.count_windows(job.id)) for job in store.jobs()]
