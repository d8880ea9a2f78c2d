"""``outputwatch run``, as a user runs it."""

import json
from pathlib import Path

import pytest

from monitor.cli import run_command_line
from tests.monitor.engine.daemon.toy import configure, events, lines


def test_the_commands_of_the_guide_work_in_this_order_and_incidents_set_the_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(configure(tmp_path))
    traffic = events(0, 24, seed=3, drift_from=8)
    (tmp_path / "logs" / "a.jsonl").write_text(lines(traffic) + "{broken\n")

    assert run_command_line(["check", path]) == 0
    assert run_command_line(["database", "upgrade", path]) == 0
    capsys.readouterr()
    status = run_command_line(["run", path, "--until-caught-up", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert status == 3
    assert told["active_incidents"] > 0
    assert (told["n_records"], told["n_rows"]) == (len(traffic) + 1, len(traffic))
    assert told["rejected"] == {"invalid_json": 1}
    assert (told["ending"], told["unaccounted"]) == ("finished", 0)


def test_a_second_run_over_the_same_files_counts_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(configure(tmp_path))
    (tmp_path / "logs" / "a.jsonl").write_text(lines(events(0, 4, seed=3)))
    command = ["run", path, "--until-caught-up", "--json", "--log-level", "error"]
    assert run_command_line(command) == 0
    first = capsys.readouterr().out

    assert run_command_line(command) == 0

    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("given", "wanted", "sentence"),
    [
        ("type: tumbling, seconds: 3600, allowed_lateness_seconds: 3600", "type: count, rows: 100",
         "'outputwatch run' takes windows of type 'tumbling'"),
        ("telemetry: null", "telemetry: nowhere", "host:port"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused_with_a_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: str,
    wanted: str,
    sentence: str,
) -> None:
    path = configure(tmp_path)
    text = path.read_text()
    assert given in text
    path.write_text(text.replace(given, wanted))

    status = run_command_line(["run", str(path), "--until-caught-up"])

    assert status == 1
    assert sentence in capsys.readouterr().err
