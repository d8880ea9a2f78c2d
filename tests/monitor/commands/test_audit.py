"""``outputwatch audit`` and ``outputwatch baseline fit``, as a user runs them."""

import csv
import json
import random
import re
from pathlib import Path

import pytest

from monitor.cli import run_command_line

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
baseline: {reference: {to: "2026-01-06T00:00:00Z"}}
detectors:
  - {type: distribution_shift, column: income, rule: threshold}
  - {type: unseen_levels, column: plan, rule: threshold}
"""
START, DAY = 1_767_225_600, 86_400


def write_log(folder: Path, *, days: int = 8, shift_from: int | None = None) -> None:
    chance = random.Random(3)
    with (folder / "log.jsonl").open("w") as file:
        for number in range(days * 500):
            day = number // 500
            moved = shift_from is not None and day >= shift_from
            event = {
                "ts": START + day * DAY + chance.randrange(DAY),
                "id": f"e{number}",
                "income": chance.gauss(80 if moved else 50, 10),
                "plan": chance.choice(["free", "paid"]),
            }
            file.write(json.dumps(event) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audit.yaml").write_text(CONFIGURATION)
    return tmp_path


def run(*arguments: str) -> int:
    return run_command_line([*arguments])


def fit(folder: Path) -> None:
    command = ["baseline", "fit", str(folder / "audit.yaml"), "--promote"]
    assert run(*command, "--who", "Ada", "--why", "first weeks") == 0


def test_a_quiet_log_ends_with_status_0(folder: Path, capsys) -> None:
    write_log(folder)
    fit(folder)

    status = run("audit", str(folder / "audit.yaml"))

    assert status == 0
    assert "No incidents." in capsys.readouterr().out


def test_a_report_folder_that_cannot_be_made_is_told_before_the_log_is_read(
    folder: Path, capsys
) -> None:
    write_log(folder)
    fit(folder)
    capsys.readouterr()
    taken = folder / "audit.yaml"

    status = run("audit", str(taken), "--report", str(taken))

    printed = capsys.readouterr()
    assert status == 1
    assert printed.err == (
        f"{str(taken)!r} cannot be read or written: File exists; "
        "check the path, permissions and space\n"
    )
    assert printed.out == ""
    assert not (folder / "outputwatch.db").exists()


def test_a_shift_ends_with_status_3_and_says_what_moved(folder: Path, capsys) -> None:
    write_log(folder, shift_from=6)
    fit(folder)
    capsys.readouterr()

    status = run("audit", str(folder / "audit.yaml"), "--json")

    answer = json.loads(capsys.readouterr().out)
    assert status == 3
    assert answer["outputs"] == 4_000
    assert [incident["onset"] for incident in answer["incidents"]] == ["2026-01-07T00:00:00Z"]
    assert answer["incidents"][0]["signals"][0]["series"] == "distribution_shift(income)"
    assert "income" in answer["incidents"][0]["signals"][0]["sentence"]


def test_the_range_leaves_the_rest_of_the_log_out(folder: Path, capsys) -> None:
    write_log(folder, shift_from=6)
    fit(folder)
    capsys.readouterr()

    status = run("audit", str(folder / "audit.yaml"), "--to", "2026-01-07T00:00:00Z", "--json")

    answer = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (answer["outputs"], answer["outside_range"]) == (3_000, 1_000)
    assert (answer["from"], answer["to"]) == ("2026-01-01T00:00:00Z", "2026-01-07T00:00:00Z")


def test_a_report_holds_every_comparison(folder: Path) -> None:
    write_log(folder, shift_from=6)
    fit(folder)

    run("audit", str(folder / "audit.yaml"), "--report", str(folder / "report"))

    with (folder / "report" / "findings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 * 2
    beyond = [row for row in rows if row["verdict"] == "beyond"]
    assert {row["window_start"] for row in beyond} == {
        "2026-01-07T00:00:00Z",
        "2026-01-08T00:00:00Z",
    }
    assert all(float(row["effect_low"]) > float(row["tolerance"]) for row in beyond)
    assert "distribution_shift(income)" in (folder / "report" / "summary.md").read_text()


def test_the_notes_of_a_finding_reach_the_report(folder: Path) -> None:
    write_log(folder, shift_from=6)
    fit(folder)
    log = folder / "log.jsonl"
    events = [json.loads(line) for line in log.read_text().splitlines()]
    for event in events[3_000::5]:
        event["income"] = None
    log.write_text("\n".join(map(json.dumps, events)))

    run("audit", str(folder / "audit.yaml"), "--report", str(folder / "report"))

    note = "100 of 500 outputs in the window have no finite value and are left out"
    with (folder / "report" / "findings.csv").open(newline="") as file:
        noted = [row for row in csv.DictReader(file) if note in row["notes"].split("; ")]
    assert [row["verdict"] for row in noted] == ["beyond", "beyond"]
    summary = (folder / "report" / "summary.md").read_text()
    assert len(re.findall(rf"^\| 2026-01-0[78].*\| {note}.* \|$", summary, re.MULTILINE)) == 2


def test_values_of_the_log_are_not_live_in_a_report(folder: Path) -> None:
    write_log(folder, shift_from=6)
    configuration = folder / "audit.yaml"
    by_plan = CONFIGURATION.replace("role: category", "role: slice") + "slices: {by: [plan]}\n"
    configuration.write_text(by_plan)
    log = folder / "log.jsonl"
    log.write_text(log.read_text().replace('"paid"', '"<script>|"'))
    fit(folder)

    run("audit", str(configuration), "--report", str(folder / "report"))

    summary = (folder / "report" / "summary.md").read_text()
    table = summary.partition("## Comparisons beyond tolerance")[2]
    assert r"plan=&lt;script&gt;\|" in table
    assert "<script>" not in table


def test_a_group_that_looks_like_a_formula_is_text_in_the_report(folder: Path) -> None:
    write_log(folder)
    configuration = folder / "audit.yaml"
    columns = CONFIGURATION.partition("detectors:")[0].replace("role: category", "role: group")
    columns = columns.replace("role: numeric", "role: prediction, dtype: float64, threshold: 50")
    gap = "{type: selection_rate_gap, outcome: income, group: plan, rule: threshold}"
    configuration.write_text(f"{columns}detectors: [{gap}]")
    log = folder / "log.jsonl"
    log.write_text(log.read_text().replace('"paid"', '"=1+1"'))
    fit(folder)

    run("audit", str(configuration), "--report", str(folder / "report"))

    with (folder / "report" / "groups.csv").open(newline="") as file:
        groups = {row["group"] for row in csv.DictReader(file)}
    assert groups == {"free", "'=1+1"}


def test_records_that_cannot_be_read_are_counted_and_shown(folder: Path, capsys) -> None:
    write_log(folder)
    with (folder / "log.jsonl").open("a") as file:
        file.write('{"ts": "nonsense", "income": 1}\nnot json\n')
    fit(folder)
    capsys.readouterr()

    run("audit", str(folder / "audit.yaml"), "--json")

    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert answer["rejected"] == {"invalid_json": 1, "invalid_timestamp": 1}
    assert answer["records"] == answer["outputs"] + 2
    letters = [
        json.loads(line) for line in (folder / "dead_letters.jsonl").read_text().splitlines()
    ]
    assert {(letter["line"], letter["reason"]) for letter in letters} == {
        (4_001, "invalid_timestamp"),
        (4_002, "invalid_json"),
    }
    assert "dead_letters.jsonl" in captured.err


def test_without_a_baseline_the_message_says_how_to_get_one(folder: Path, capsys) -> None:
    write_log(folder)

    status = run("audit", str(folder / "audit.yaml"))

    assert status == 1
    assert "baseline" in capsys.readouterr().err


def test_a_baseline_without_a_table_is_refused_with_the_series_that_reads_it(
    folder: Path, capsys
) -> None:
    write_log(folder)
    fit(folder)
    more = '  - {type: rate_change, column: income_band, level: "low"}\n'
    column = "    - {name: income_band, role: category}\nwindows"
    text = CONFIGURATION.replace("windows", column, 1) + more
    (folder / "audit.yaml").write_text(text)

    status = run("audit", str(folder / "audit.yaml"))

    message = capsys.readouterr().err
    assert status == 1
    assert "'income_band', which rate_change(income_band=low) reads" in message
    assert "baseline fit" in message


def test_a_reference_range_without_rows_is_refused(folder: Path, capsys) -> None:
    write_log(folder)

    status = run("baseline", "fit", str(folder / "audit.yaml"), "--to", "2020-01-01T00:00:00Z")

    assert status == 1
    assert "no reference rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "yesterday"), "--from must be a time"),
        (
            ("--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"),
            "--from must be before --to",
        ),
        (("--workers", "0"), "--workers must be at least 1"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    folder: Path, capsys, arguments: tuple[str, ...], message: str
) -> None:
    write_log(folder)
    fit(folder)
    capsys.readouterr()

    status = run("audit", str(folder / "audit.yaml"), *arguments)

    assert status == 1
    assert message in capsys.readouterr().err


def test_fitting_the_same_rows_again_gives_the_same_version(folder: Path, capsys) -> None:
    write_log(folder)
    answers = []
    for _ in range(2):
        run("baseline", "fit", str(folder / "audit.yaml"), "--json")
        answers.append(json.loads(capsys.readouterr().out))

    assert answers[0]["id"] == answers[1]["id"]
    assert answers[0]["rows"] == 2_500
    assert answers[0]["windows"] == 5


def test_a_promotion_without_a_reason_is_refused_before_any_work(folder: Path, capsys) -> None:
    write_log(folder)

    status = run("baseline", "fit", str(folder / "audit.yaml"), "--promote")

    assert status == 1
    assert "--who and --why" in capsys.readouterr().err
    assert not (folder / "baselines").exists()
