"""Audits on evidence: quiet streams, dated changes, returns, shadow and comparison."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from baselines.schema import Schema
from monitor.cli import run_command_line
from monitor.engine.audit import LostRowsError, check_rows
from monitor.storage.ledger import Totals

START, DAY = 1_767_225_600, 86_400
SHARE = {"free": 0.6, "paid": 0.4}

CONFIGURATION = """
version: 1
system: {{name: loans, stakes: consequential, protected_attributes: [sex]}}
source: {{type: files, paths: ["*.jsonl"]}}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: id, role: event_id}}
    - {{name: income, role: numeric}}
    - {{name: plan, role: category}}
    - {{name: sex, role: group}}
    - {{name: approved, role: prediction, dtype: boolean}}
windows: {{type: tumbling, seconds: 86400}}
baseline: {{reference: {{to: "{to}"}}}}
decision: {{{decision}}}
detectors:
  - {{type: distribution_shift, column: [income, plan]}}
  - {{type: missing_rate, column: income}}
  - {{type: volume}}
  - {{type: rate_change, column: approved}}
  - {{type: selection_rate_gap, outcome: approved, group: sex}}
"""

Change = Callable[[int, dict[str, Any], random.Random], None]


def events(days: int, change: Change, seed: int = 3) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)
    for number in range(days * 500):
        day = number // 500
        event: dict[str, Any] = {
            "ts": START + day * DAY + chance.randrange(DAY),
            "id": f"e{number}",
            "income": chance.gauss(50, 10),
            "plan": chance.choices(list(SHARE), list(SHARE.values()))[0],
            "sex": chance.choice("fm"),
            "approved": chance.random() < 0.5,
        }
        change(day, event, chance)
        yield event


def nothing(day: int, event: dict[str, Any], chance: random.Random) -> None:
    """Leave the event as it is."""


def shifted(first: int, last: int = 10_000) -> Change:
    def change(day: int, event: dict[str, Any], chance: random.Random) -> None:
        if first <= day < last:
            event["income"] += 12

    return change


def without_income(first: int) -> Change:
    def change(day: int, event: dict[str, Any], chance: random.Random) -> None:
        if day >= first:
            event["income"] = None

    return change


def audited(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    change: Change,
    *,
    days: int = 40,
    to: str = "2026-01-15T00:00:00Z",
    decision: str = "question: monitoring",
) -> dict[str, Any]:
    path = folder / "audit.yaml"
    path.write_text(CONFIGURATION.format(to=to, decision=decision))
    with (folder / "log.jsonl").open("w") as file:
        file.writelines(json.dumps(event) + "\n" for event in events(days, change))
    promote = ["--promote", "--who", "Ada", "--why", "first weeks"]
    assert run_command_line(["baseline", "fit", str(path), *promote]) == 0
    capsys.readouterr()
    status = run_command_line(["audit", str(path), "--from", to, "--json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (3 if answer["incidents"] else 0)
    return answer


def test_a_stream_in_which_nothing_changes_is_quiet(tmp_path: Path, capsys) -> None:
    answer = audited(tmp_path, capsys, nothing, days=70)

    assert answer["incidents"] == []
    assert answer["never_judged"] == {}
    # The log ends inside the last window for all we know: its volume is not judged.
    assert answer["findings"].keys() == {"insufficient_data", "within"}
    assert answer["findings"]["insufficient_data"] == 1


def test_a_shift_is_found_on_its_second_day_and_dated_to_its_first(tmp_path, capsys) -> None:
    answer = audited(tmp_path, capsys, shifted(25))

    (incident,) = answer["incidents"]
    (signal,) = incident["signals"]
    assert signal["series"] == "distribution_shift(income)"
    assert incident["onset"] in ("2026-01-26T00:00:00Z", "2026-01-27T00:00:00Z")
    assert "from chance alone, alarms this strong come less than once in" in signal["sentence"]
    assert "since about 2026-01-2" in signal["sentence"]
    assert signal["windows"] >= 12


def test_a_column_that_goes_missing_is_found_on_its_first_day_and_explains_the_rest(
    tmp_path, capsys
) -> None:
    answer = audited(tmp_path, capsys, without_income(25), days=28)

    (incident,) = answer["incidents"]
    own = [s["series"] for s in incident["signals"] if not s["inhibited_by"]]
    assert own == ["missing_rate(income)"]
    assert incident["onset"] == "2026-01-26T00:00:00Z"
    assert incident["last_window_end"] == "2026-01-29T00:00:00Z"


def test_a_shift_that_ends_is_proposed_for_resolution_on_evidence(tmp_path, capsys) -> None:
    audited(tmp_path, capsys, shifted(20, 28), days=45)
    show = ["incident", "show", str(tmp_path / "audit.yaml"), "1", "--json"]
    assert run_command_line(show) == 0

    shown = json.loads(capsys.readouterr().out)

    kinds = [entry["kind"] for entry in shown["timeline"]]
    assert kinds[0] == "opened"
    assert "signal recovered" in kinds
    assert kinds[-1] == "resolution proposed"


def test_a_short_baseline_leaves_series_in_shadow_and_says_so(tmp_path, capsys) -> None:
    answer = audited(tmp_path, capsys, shifted(8), days=12, to="2026-01-06T00:00:00Z")

    assert answer["incidents"] == []
    reasons = answer["never_judged"]
    assert "distribution_shift(income)" in reasons
    assert "5 windows" in reasons["distribution_shift(income)"]


def test_a_comparison_needs_no_windows_of_the_baseline(tmp_path, capsys) -> None:
    answer = audited(
        tmp_path,
        capsys,
        shifted(8),
        days=12,
        to="2026-01-06T00:00:00Z",
        decision="question: comparison",
    )

    assert {s["series"] for i in answer["incidents"] for s in i["signals"]} == {
        "distribution_shift(income)"
    }
    assert "this comparison names" in answer["incidents"][0]["signals"][0]["sentence"]


def test_a_smaller_budget_waits_longer(tmp_path: Path, capsys) -> None:
    def slight(day: int, event: dict[str, Any], chance: random.Random) -> None:
        if day >= 25:
            event["approved"] = chance.random() < 0.62

    firsts = []
    for name, budget in (("often", "1 per 7 days"), ("seldom", "1 per 100 years")):
        folder = tmp_path / name
        folder.mkdir()
        answer = audited(
            folder, capsys, slight, days=60, decision=f'false_alarm_budget: "{budget}"'
        )
        counted = [s["windows"] for i in answer["incidents"] for s in i["signals"]]
        firsts.append(max(counted, default=0))

    assert firsts[0] > firsts[1]


def test_a_log_that_has_stopped_is_not_fine(tmp_path: Path, capsys) -> None:
    audited(tmp_path, capsys, nothing, days=20)
    command = ["audit", str(tmp_path / "audit.yaml"), "--from", "2026-01-15T00:00:00Z", "--json"]

    status = run_command_line([*command, "--to", "2026-01-26T00:00:00Z"])

    answer = json.loads(capsys.readouterr().out)
    assert answer["windows"] == 11
    assert answer["silent_since"] == "2026-01-21T00:00:00Z"
    assert status == 3
    assert {s["series"] for i in answer["incidents"] for s in i["signals"]} == {"volume(outputs)"}


def test_a_range_without_any_output_is_not_fine(tmp_path: Path, capsys) -> None:
    audited(tmp_path, capsys, nothing, days=20)
    command = ["audit", str(tmp_path / "audit.yaml"), "--from", "2026-03-01T00:00:00Z"]

    status = run_command_line([*command, "--to", "2026-03-05T00:00:00Z"])

    assert status == 3
    assert "no outputs since 2026-03-01T00:00:00Z" in capsys.readouterr().out


def test_one_wrong_time_does_not_make_years_of_empty_windows(tmp_path: Path, capsys) -> None:
    def misdated(day: int, event: dict[str, Any], chance: random.Random) -> None:
        if event["id"] == "e9000":
            event["ts"] = 1_000_000_000

    audited(tmp_path, capsys, misdated, days=20)

    status = run_command_line(["audit", str(tmp_path / "audit.yaml"), "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert status == 0
    assert answer["windows"] == 21
    assert answer["breaks"] == [["2001-09-10T00:00:00Z", "2026-01-01T00:00:00Z"]]


def test_the_windows_are_checked_to_hold_every_row() -> None:
    totals = Totals(n_units=1, n_records=9, n_rows=8, n_lines=9, rejected={}, remarks={})

    check_rows(Schema(columns=()), totals, 8)
    with pytest.raises(LostRowsError, match="8 rows were counted, the windows hold 7"):
        check_rows(Schema(columns=()), totals, 7)
