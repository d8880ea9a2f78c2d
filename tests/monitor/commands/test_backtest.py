"""``outputwatch backtest``, as a user runs it."""

import hashlib
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from baselines.packing import decode_counts, encode_counts, encoded_length
from monitor.cli import run_command_line
from monitor.storage.store import Store

CONFIGURATION = """
version: 1
system: {name: loans, stakes: consequential}
source: {type: files, paths: ["*.jsonl"]}
schema:
  columns:
    - {name: ts, role: timestamp}
    - {name: id, role: event_id}
    - {name: income, role: numeric}
    - {name: plan, role: category}
windows: {type: tumbling, seconds: 86400}
baseline: {reference: {to: "2026-01-13T00:00:00Z"}}
detectors:
"""
OLD = "  - {type: distribution_shift, column: income, tolerance: 0.3, rule: threshold}\n"
NEW = "  - {type: distribution_shift, column: income, tolerance: 0.05, rule: evidence}\n"
START, DAY = 1_767_225_600, 86_400


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an audited log: the income moves on day 15, far on day 19, and back."""
    tmp_path, chance = tmp_path_factory.mktemp("audited"), random.Random(3)
    with (tmp_path / "log.jsonl").open("w") as file:
        for number in range(30 * 400):
            day = number // 400
            mean = 50 + 5 * (15 <= day < 24) + 15 * (19 <= day < 24)
            event = {
                "ts": START + day * DAY + chance.randrange(DAY),
                "id": f"e{number}",
                "income": chance.gauss(mean, 10),
                "plan": chance.choice(["free", "paid"]),
            }
            file.write(json.dumps(event) + "\n")
    (tmp_path / "audit.yaml").write_text(CONFIGURATION + OLD)
    (tmp_path / "new.yaml").write_text(CONFIGURATION + NEW)
    configuration = str(tmp_path / "audit.yaml")
    decision = ["--promote", "--who", "Ada", "--why", "first weeks"]
    assert run_command_line(["baseline", "fit", configuration, *decision]) == 0
    assert run_command_line(["audit", configuration]) == 3
    return tmp_path


@pytest.fixture
def folder(audited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the audited folder, in which the test runs."""
    shutil.copytree(audited, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def backtest(capsys, *arguments: str) -> dict:
    capsys.readouterr()
    status = run_command_line(
        ["backtest", "audit.yaml", "--policy", "new.yaml", *arguments, "--json"]
    )
    assert status == 0
    return json.loads(capsys.readouterr().out)


def test_a_change_that_both_policies_see_is_told_with_its_delay(folder: Path, capsys) -> None:
    answer = backtest(capsys)

    (change,) = answer["incidents"]
    assert answer["windows"] == 30
    assert change["in"] == "both"
    assert change["old"][0]["window"] == 20
    assert 17 <= change["new"][0]["window"] <= 19
    assert change["delay_windows"] == change["new"][0]["window"] - 20
    assert change["new"][0]["onset"] == "2026-01-16T00:00:00Z"


def test_the_old_policy_raises_what_the_audit_raised(folder: Path, capsys) -> None:
    capsys.readouterr()
    run_command_line(["audit", "audit.yaml", "--json"])
    audited = json.loads(capsys.readouterr().out)["incidents"]

    answer = backtest(capsys)

    told = [change["old"][0] for change in answer["incidents"]]
    assert [(each["onset"], each["suggested_tier"]) for each in told] == [
        (each["onset"], each["suggested_tier"]) for each in audited
    ]


def test_the_same_policy_twice_changes_nothing(folder: Path, capsys) -> None:
    (folder / "new.yaml").write_text(CONFIGURATION + OLD.replace("}", ", name: renamed}"))

    answer = backtest(capsys)

    (change,) = answer["incidents"]
    assert (change["in"], change["delay_windows"], change["tier_changed"]) == ("both", 0, False)


def test_what_only_one_policy_sees_is_told_so(folder: Path, capsys) -> None:
    (folder / "new.yaml").write_text(CONFIGURATION + OLD.replace("0.3", "0.9"))

    answer = backtest(capsys)

    (change,) = answer["incidents"]
    assert (change["in"], change["new"], change["delay_windows"]) == ("old", [], None)


def test_the_quiet_part_is_the_baselines_own_time_unless_told(folder: Path, capsys) -> None:
    nervous = (
        "  - {type: rate_change, column: plan, level: free, tolerance_difference: 0.001, "
        "confidence: 0.51, rule: threshold}\n"
    )
    (folder / "new.yaml").write_text(CONFIGURATION + nervous)

    own, told = (
        backtest(capsys)["new"]["quiet"],
        backtest(
            capsys,
            "--quiet-from",
            "2026-01-20T00:00:00Z",
            "--quiet-to",
            "2026-01-25T00:00:00Z",
        )["old"]["quiet"],
    )

    assert (own["days"], own["alarms"] > 0) == (12, True)
    assert own["alarms_per_90_days"] == pytest.approx(90 * own["alarms"] / 12)
    assert (told["days"], told["alarms"], told["incidents"]) == (5, 1, 1)


def test_a_window_that_was_cut_short_is_named_and_raises_no_alarm_about_volume(
    folder: Path, capsys
) -> None:
    (folder / "new.yaml").write_text(CONFIGURATION + "  - {type: volume, rule: threshold}\n")
    with Store.open("sqlite:///outputwatch.db") as store:
        (job,) = store.jobs()
        days = list(store.windows(job.id))
        few = decode_counts(days[13].body, encoded_length(days[13].body)) // 10
        part = replace(days[13], n_rows=int(few[0]), body=encode_counts(few))

        store.write_windows(job.id, [part])
        whole = backtest(capsys)
        store.write_windows(job.id, [replace(part, cut_short=True)])
        cut_short = backtest(capsys)

    assert run_command_line(["backtest", "audit.yaml", "--policy", "new.yaml"]) == 0
    assert "30 windows (1 cut short) of 1 audit" in capsys.readouterr().out
    assert (whole["windows_cut_short"], cut_short["windows_cut_short"]) == (0, 1)
    assert (whole["new"]["alarms"], cut_short["new"]["alarms"]) == (1, 0)


def test_nothing_is_written_to_the_database(folder: Path, capsys) -> None:
    before = hashlib.sha256((folder / "outputwatch.db").read_bytes()).hexdigest()

    backtest(capsys)

    assert hashlib.sha256((folder / "outputwatch.db").read_bytes()).hexdigest() == before


def test_the_log_is_not_needed(folder: Path, capsys) -> None:
    (folder / "log.jsonl").unlink()

    assert backtest(capsys)["windows"] == 30


def test_a_range_takes_part_of_the_windows(folder: Path, capsys) -> None:
    answer = backtest(capsys, "--from", "2026-01-20T00:00:00Z", "--to", "2026-01-25T00:00:00Z")

    assert (answer["windows"], answer["from"]) == (5, "2026-01-20T00:00:00Z")


def test_a_detector_that_the_windows_cannot_answer_is_named_and_left_out(
    folder: Path, capsys
) -> None:
    more = "  - {type: rate_change, column: other, level: a}\n"
    text = (CONFIGURATION + NEW + more).replace(
        "windows:", "    - {name: other, role: category}\nwindows:", 1
    )
    (folder / "new.yaml").write_text(text)

    answer = backtest(capsys)

    assert answer["new"]["not_judged"] == {"rate_change(other=a)": "other"}
    assert len(answer["incidents"]) == 1


def test_people_get_a_table(folder: Path, capsys) -> None:
    capsys.readouterr()

    status = run_command_line(["backtest", "audit.yaml", "--policy", "new.yaml"])

    printed = capsys.readouterr().out
    assert status == 0
    assert "30 windows of 1 audit, 2026-01-01T00:00:00Z to 2026-01-31T00:00:00Z" in printed
    assert "changes: 1 in both, 0 only in the old, 0 only in the new" in printed
    assert "earlier" in printed
    assert "quiet part of 12 days: 0 incidents and 0 alarms (0 and 0 per 90 days)" in printed


def test_windows_that_were_counted_on_another_layout_are_refused(folder: Path, capsys) -> None:
    text = (CONFIGURATION + OLD).replace("2026-01-13", "2026-01-12")
    (folder / "audit.yaml").write_text(text)
    decision = ["--promote", "--who", "Ada", "--why", "a shorter reference"]
    run_command_line(["baseline", "fit", "audit.yaml", *decision])
    capsys.readouterr()

    status = run_command_line(["backtest", "audit.yaml", "--policy", "new.yaml"])

    message = capsys.readouterr().err
    assert status == 1
    assert "windows must have been counted on the layout of the baseline in force" in message
    assert "audit the log again" in message


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (("86400", "3600"), (), "must cut time alike"),
        (("", ""), ("--from", "2030-01-01T00:00:00Z"), "in the range, got none"),
        (("", ""), ("--quiet-from", "soon"), "--quiet-from must be a time"),
        (("column: income", "column: plan_b"), (), "detectors[0].column"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    folder: Path, capsys, change: tuple[str, str], arguments: tuple[str, ...], message: str
) -> None:
    (folder / "new.yaml").write_text((CONFIGURATION + NEW).replace(*change))
    capsys.readouterr()

    status = run_command_line(["backtest", "audit.yaml", "--policy", "new.yaml", *arguments])

    assert status == 1
    assert message in capsys.readouterr().err
