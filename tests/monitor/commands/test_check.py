import json
from pathlib import Path

import pytest

from monitor.cli import run_command_line

ROOT = Path(__file__).parents[3]
TESTDATA = ROOT / "tests/monitor/config/testdata"
CONFIGS = sorted([*ROOT.glob("configs/*.yaml"), *ROOT.glob("configs/demo/*.yaml")])


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_example_is_fine(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run_command_line(["check", str(path)])

    assert status == 0
    assert capsys.readouterr().out.startswith(f"{path}: fine: ")


def test_a_good_configuration_is_summed_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(TESTDATA)
    monkeypatch.setenv("PASSWORD", "hunter2")

    status = run_command_line(["check", "everything.good.yaml"])

    captured = capsys.readouterr()
    assert status == 0
    assert captured.out == (
        "everything.good.yaml: fine: 9 series over 6 columns, windows of 7 days\n"
    )
    assert "warning: source.paths: no file matches" in captured.err


def test_files_that_are_there_are_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text((TESTDATA / "smallest.good.yaml").read_text())
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/may.jsonl").touch()

    status = run_command_line(["check", str(path)])

    captured = capsys.readouterr()
    assert status == 0
    assert captured.err == ""
    assert captured.out.endswith("fine: 1 series over 1 column, windows of 1 day\n")


def test_a_bad_configuration_is_status_1_and_its_problems(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(TESTDATA)

    status = run_command_line(["check", "windows.bad.yaml"])

    captured = capsys.readouterr()
    assert status == 1
    assert captured.out == ""
    assert captured.err == (TESTDATA / "windows.bad.expected").read_text()


def test_problems_as_json_have_their_places(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(TESTDATA)

    status = run_command_line(["check", "--json", "window_type.bad.yaml"])

    answer = json.loads(capsys.readouterr().out)
    assert status == 1
    assert answer == {
        "fine": False,
        "problems": [
            {
                "file": "window_type.bad.yaml",
                "line": 19,
                "column": 3,
                "option": "windows.type",
                "message": "unknown type 'tumblin'; did you mean 'tumbling'?",
            }
        ],
    }


def test_a_good_configuration_as_json_names_its_series(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = run_command_line(["check", "--json", str(TESTDATA / "smallest.good.yaml")])

    answer = json.loads(capsys.readouterr().out)
    assert status == 0
    assert answer["fine"] is True
    assert answer["series"] == ["distribution_shift(income)"]
    assert answer["columns"] == ["income"]
    assert answer["windows"] == "windows of 1 day"
    assert len(answer["warnings"]) == 1


WATCHED = """
version: 1
system: {name: loans}
source: {type: files, paths: ["log.jsonl"]}
schema:
  columns:
    - {name: ts, role: timestamp}
    - {name: income, role: numeric}
    - {name: approved, role: prediction, positive: ["yes"]}
windows: {type: tumbling, seconds: 86400}
detectors:
  - {type: distribution_shift, column: income}
  - {type: rate_change, column: approved, tolerance_difference: 0.1}
  - {type: missing_rate, column: income, rule: threshold}
"""


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a configuration and twenty days of log."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "monitor.yaml").write_text(WATCHED)
    events = (
        {
            "ts": 1_767_225_600 + 216 * number,
            "income": number * 37 % 101,
            "approved": "yes" if number * 7 % 10 < 3 else "no",
        }
        for number in range(20 * 400)
    )
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, events)) + "\n")
    return tmp_path


def fit(*decision: str) -> None:
    assert run_command_line(["baseline", "fit", "monitor.yaml", *decision]) == 0


@pytest.mark.usefixtures("watched")
def test_delays_without_a_baseline_in_force_say_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fit()
    capsys.readouterr()

    status = run_command_line(["check", "monitor.yaml", "--delays"])

    assert status == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--delays rests on the baseline in force: no baseline in" in captured.err
    assert "promote one" in captured.err


@pytest.mark.usefixtures("watched")
def test_delays_are_shorter_for_larger_changes(capsys: pytest.CaptureFixture[str]) -> None:
    fit("--promote", "--who", "Ada", "--why", "first weeks")
    capsys.readouterr()

    status = run_command_line(["check", "monitor.yaml", "--delays", "--json"])

    delays = json.loads(capsys.readouterr().out)["delays"]
    assert status == 0
    assert delays["budget"] == "1 per 90 days"
    assert delays["by_threshold"] == ["missing_rate(income)"]
    changes = {
        (each["series"], change["what"]): change["delays"]
        for each in delays["series"]
        for change in each["changes"]
    }
    assert changes.keys() == {
        ("distribution_shift(income)", "shift"),
        ("rate_change(approved)", "rise"),
        ("rate_change(approved)", "fall"),
    }
    for told in changes.values():
        assert [each["times_tolerance"] for each in told] == [1.5, 2, 4]
        windows = [each["windows"] for each in told if each["called"]]
        assert windows == sorted(windows, reverse=True)
    # From 30 % a rate cannot fall by 40 points, but rise by as many.
    assert [each["possible"] for each in changes["rate_change(approved)", "fall"]][2] is False
    assert [each["called"] for each in changes["rate_change(approved)", "rise"]] == [True] * 3


@pytest.mark.usefixtures("watched")
def test_delays_for_people_are_one_row_for_each_way_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fit("--promote", "--who", "Ada", "--why", "first weeks")
    capsys.readouterr()

    status = run_command_line(["check", "monitor.yaml", "--delays"])

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    (fall,) = [line.split() for line in lines if "fall" in line]
    assert fall[:3] == ["rate_change(approved)", "all", "fall"]
    assert fall[-1] == "-"
    assert "decided window by window, without estimate: missing_rate(income)" in lines
    assert lines[-1].startswith("2 series share the false-alarm budget of 1 per 90 days; ")


def test_delays_of_a_comparison_are_refused(
    watched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit("--promote", "--who", "Ada", "--why", "first weeks")
    (watched / "monitor.yaml").write_text(f"{WATCHED}decision: {{question: comparison}}\n")
    capsys.readouterr()

    status = run_command_line(["check", "monitor.yaml", "--delays"])

    assert status == 1
    assert "needs 'decision.question: monitoring', got 'comparison'" in capsys.readouterr().err
