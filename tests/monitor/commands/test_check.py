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
