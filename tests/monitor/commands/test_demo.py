"""``outputwatch demo``: finds what is planted, and nothing else; every command it shows works."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from monitor.__main__ import main
from monitor.cli import command_parser
from monitor.clock import FixedClock
from monitor.demo.running import DemoResult, run_demo
from monitor.demo.scenario import AUDITED_US, PLANTED, at
from monitor.demo.telling import demo_record, demo_text
from monitor.engine.progress import NoProgress
from monitor.storage.store import Store

N_EVENTS = 60_000


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    return run_demo(
        tmp_path_factory.mktemp("demo"),
        n_events=N_EVENTS,
        seed=1,
        clock=FixedClock(AUDITED_US),
        progress=NoProgress(),
        say=lambda _sentence: None,
    )


@pytest.fixture(scope="module")
def record(result: DemoResult) -> dict[str, Any]:
    return demo_record(result)


@pytest.mark.parametrize("key", [planted.key for planted in PLANTED])
def test_every_planted_incident_is_found_within_four_days(
    record: dict[str, Any], key: str
) -> None:
    planted = next(one for one in record["planted"] if one["key"] == key)

    assert planted["found"]
    # Under a third of the demo's outputs: the gaps of small groups take two days longer.
    assert 0 <= planted["first_day"] - planted["day"] <= 4


def test_nothing_else_is_found(record: dict[str, Any]) -> None:
    assert record["unexplained"] == []
    assert len(record["incidents"]) <= 7


def test_the_days_of_the_baseline_are_not_audited(result: DemoResult) -> None:
    for audit in result.audits.values():
        assert audit.from_us == at(15)
        assert audit.n_windows == 16
        assert not audit.totals.rejected


def test_each_kind_of_failure_has_its_incident(record: dict[str, Any]) -> None:
    modes = {incident["failure_mode"] for incident in record["incidents"]}

    assert modes >= {"bias", "safety", "behavioural"}


def test_the_gap_in_a_consequential_use_is_at_least_sev2(record: dict[str, Any]) -> None:
    gaps = [
        incident
        for incident in record["incidents"]
        if "selection_rate_gap(decision, age_band)" in incident["series"]
    ]

    assert [gap["tier"] for gap in gaps] in (["SEV1"], ["SEV2"])
    assert gaps[0]["reasons"]


def test_what_was_found_fits_a_screen_as_does_the_response(result: DemoResult) -> None:
    text = demo_text(result)

    assert "5 of 5 planted incidents found; no false alarm." in text
    assert all(len(line) <= 99 or "outputwatch " in line for line in text.splitlines())
    found, _, response = text.partition("ONE OF THEM")
    assert len(found.splitlines()) < 75
    assert len(response.splitlines()) < 90
    for incident in result.incidents:
        assert f"{incident.system} #{incident.number}  {incident.suggestion.tier}" in text
    for planted in PLANTED:
        assert planted.title.split()[0] in text


def test_every_command_to_go_on_with_is_one_that_the_parser_knows(result: DemoResult) -> None:
    lines = [line.strip() for line in demo_text(result).splitlines()]
    commands = [line for line in lines if line.startswith("outputwatch ")]

    parsed = [command_parser().parse_args(shlex.split(command)[1:]) for command in commands]

    assert len(parsed) >= 3
    assert all(callable(arguments.run) for arguments in parsed)


def test_the_incidents_are_kept_in_the_databases(result: DemoResult) -> None:
    for system, path in result.configurations.items():
        database = path.parent / system / "outputwatch.db"
        with Store.open(f"sqlite:///{database}") as store:
            kept = {incident.id for incident in store.incidents().all()}

        assert kept == {one.id for one in result.incidents if one.system == system}


def test_the_command_finds_the_same_again_and_ends_with_status_3(
    record: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["demo", "--directory", str(tmp_path), "--events", str(N_EVENTS), "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert status == 3
    assert answer["incidents"] == record["incidents"]
    assert answer["planted"] == record["planted"]
    for told in ("drafts", "milestones"):
        assert answer["response"][told] == record["response"][told]


def test_a_script_takes_the_dead_filter_from_the_alarm_to_a_post_mortem(
    result: DemoResult, record: dict[str, Any]
) -> None:
    response = record["response"]

    assert (response["scripted"], response["state"]) == (True, "in_review")
    assert response["missing"] == []
    assert set(response["drafts"]) == {"staff", "affected", "customers"}
    assert any(step["refused"] and "'affected'" in step["what"] for step in response["steps"])
    assert any("verified: 'gateway-14' is served" in step["what"] for step in response["steps"])
    people = {step["who"] for step in response["steps"]} - {"monitor", "dry run", "rollback"}
    assert all(name.endswith("(made up)") for name in people)


def test_it_is_plain_that_a_script_responds_and_that_its_persons_are_made_up(
    result: DemoResult,
) -> None:
    text = " ".join(demo_text(result).split())

    assert "A script responds to support-assistant #" in text
    assert "The persons are made up, and so is the time" in text
    assert "Nothing was sent." in text
    assert "it began on 26 September 2026" in text


def test_the_week_after_repairs_the_filter_alone(result: DemoResult) -> None:
    path = result.configurations["support-assistant"]
    with Store.open(f"sqlite:///{path.parent}/support-assistant/outputwatch.db") as store:
        incidents = store.incidents().all()

    back = {each.id for each in incidents if each.resolution_proposed is not None}
    assert result.responded is not None
    assert back == {result.responded.incident.id}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--events", "500"], "--events must be at least 20000, got 500"),
        (["--seed", "-1"], "--seed must be 0 or more, got -1"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    status = main(["demo", "--directory", str(tmp_path / "new"), *options])

    assert status == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_file_is_not_taken_for_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")

    status = main(["demo", "--directory", str(tmp_path / "file")])

    assert status == 1
    assert "--directory must be a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"
