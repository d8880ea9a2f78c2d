"""``outputwatch drill``: begun, gone on with and reported from the command line."""

import json
import shlex
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.cli import command_parser
from monitor.drills.scenario import shipped


def test_the_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "list", "--json"]) == 0

    listed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in listed] == list(shipped())


def test_people_play_a_drill_by_the_commands_that_it_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "drill")

    begun = main(["drill", "dead-filter", "--directory", folder, "--json"])
    shown = json.loads(capsys.readouterr().out)

    assert begun == 3
    assert (shown["drill"], shown["tier"], shown["simulated"]) == (True, "SEV1", False)
    assert {each["standing"] for each in shown["milestones"]} == {"no target", "not yet"}
    for command in shown["commands"]:
        command_parser().parse_args(shlex.split(command)[1:])
    for command in shown["commands"][:4]:
        assert main(shlex.split(command)[1:]) == 0
        assert "DRILL" in capsys.readouterr().out
    assert main(["incident", "list", f"{folder}/drill.yaml"]) == 0
    assert "DRILL Safety" in capsys.readouterr().out
    opened = ["--title", "somebody rang", "--by", "Robin", "--role", "on_call", "--reason", "rang"]
    assert main(["incident", "open", f"{folder}/drill.yaml", *opened]) == 0
    assert capsys.readouterr().out.startswith("DRILL #2")
    assert main(["incident", "runbook", f"{folder}/drill.yaml", "1"]) == 0
    page = capsys.readouterr().out
    assert "commander, Ada, within 30 minutes of the alarm" in page
    assert f"outputwatch incident ack {folder}/drill.yaml 1 --by NAME" in page
    assert "do not: take fewer triggers for good news" in page
    assert main(["drill", "report", "--directory", folder, "--json"]) == 0
    reached = json.loads(capsys.readouterr().out)
    by_name = {each["milestone"]: each["standing"] for each in reached["milestones"]}
    assert by_name["acknowledged"] == by_name["severity decided"] == "in time"
    assert main(["drill", "continue", "--directory", folder]) == 0
    assert "the breach goes on" in capsys.readouterr().out
    assert main(["drill", "report", "--directory", folder]) == 0
    assert "NOBODY OUTSIDE WAS TOLD" in capsys.readouterr().out
    assert main(["drill", "dead-filter", "--directory", folder]) == 1


def test_a_script_plays_to_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["drill", "refusal-gap", "--scripted", "--directory", str(tmp_path / "d")])

    out = capsys.readouterr().out
    assert status == 3
    assert out.startswith("DRILL: everything here is made up")
    assert "The post-mortem is drafted; it lacks nothing." in out


def test_a_scenario_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drill", "nonsense", "--directory", str(tmp_path / "d")]) == 1
    assert "a scenario must be one of" in capsys.readouterr().err
