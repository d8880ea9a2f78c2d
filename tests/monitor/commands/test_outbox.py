"""What waits and what was given up is shown, tried again and dropped from the command line."""

import json
from pathlib import Path

import pytest

from monitor.cli import run_command_line
from monitor.config.load import load_configuration
from monitor.engine.incident_desk import monitor_name
from monitor.storage.outbox import NewNotice, OutboxRepository
from monitor.storage.store import Store

TESTDATA = Path(__file__).parents[1] / "config/testdata"
NOTIFIERS = """
notifiers:
  channels:
    - {type: webhook, channel: own, url: "https://hooks.example.org/", secret: word}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "monitor.yaml"
    made.write_text((TESTDATA / "smallest.good.yaml").read_text() + NOTIFIERS)
    configuration = load_configuration(made)
    with Store.open(configuration.storage.url) as store:
        outbox = OutboxRepository(store, monitor_name(configuration))
        for id_, channel in (("a" * 64, "own"), ("b" * 64, "own"), ("c" * 64, "gone")):
            notice = NewNotice(id=id_, incident_id=id_, kind="opened", channel=channel, body={})
            outbox.put([notice], now_us=0)
        row = outbox.lease("own", now_us=0, until_us=1)
        assert row is not None
        outbox.give_up(row, "status 404")
    return made


def listed(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, str]:
    capsys.readouterr()
    assert run_command_line(["outbox", "list", str(path), "--json", *options]) == 0
    return {row["id"][0]: row["state"] for row in json.loads(capsys.readouterr().out)}


def test_what_waits_and_what_was_given_up_is_listed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command_line(["outbox", "list", str(path)])

    text = capsys.readouterr().out
    assert "status 404" in text
    assert "gone (not configured)" in text
    assert listed(path, capsys, "--state", "dead") == {"a": "dead"}


def test_dead_notices_are_tried_again(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run_command_line(["outbox", "retry", str(path), "--dead"])

    assert status == 0
    assert listed(path, capsys) == {"a": "waiting", "b": "waiting", "c": "waiting"}


def test_a_notice_is_dropped_by_the_beginning_of_its_id(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command_line(["outbox", "drop", str(path), "ccc"])

    assert listed(path, capsys) == {"a": "dead", "b": "waiting"}


@pytest.mark.parametrize("which", [[], ["a", "--dead"], ["f"]])
def test_nothing_is_dropped_unless_it_is_clear_what(
    path: Path, capsys: pytest.CaptureFixture[str], which: list[str]
) -> None:
    status = run_command_line(["outbox", "drop", str(path), *which])

    assert status == 1
    assert "outbox list" in capsys.readouterr().err
    assert len(listed(path, capsys)) == 3
