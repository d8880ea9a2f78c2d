"""Sources that can only be followed: what still works, and what is said where it does not."""

import json
from pathlib import Path

import pytest

from baselines.store import BaselineStore
from monitor.cli import run_command_line

HOUR = 3_600
FOLLOWED = {
    "kafka": "{type: kafka, bootstrap_servers: ['127.0.0.1:1'], topics: [answers], group: g}",
    "stdin": "{type: stdin}",
}
CONFIGURATION = """
version: 1
system: {{name: answers}}
source: {source}
schema:
  columns:
    - {{name: at, role: timestamp}}
    - {{name: topic, role: category}}
    - {{name: region, role: slice}}
baseline: {{reference: {reference}}}
windows: {{type: tumbling, seconds: 3600}}
detectors: [{{type: distribution_shift, column: topic}}]
run: {{telemetry: null}}
"""


def write(folder: Path, source: str, reference: str = "{paths: [reference.jsonl]}") -> str:
    path = folder / "answers.yaml"
    path.write_text(CONFIGURATION.format(source=source, reference=reference), "utf-8")
    return str(path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    events = [
        {"at": f"2026-09-{1 + n // 24:02d}T{n % 24:02d}:30:00Z", "topic": t, "region": "eu"}
        for n in range(48)
        for t in "aabbc"
    ]
    (tmp_path / "reference.jsonl").write_text("\n".join(map(json.dumps, events)), "utf-8")
    return tmp_path


def run(*arguments: str) -> int:
    return run_command_line(list(arguments))


def fit(configuration: str) -> int:
    return run("baseline", "fit", configuration, "--promote", "--who", "me", "--why", "test")


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_baseline_is_fitted_on_files_of_the_same_schema(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    status = fit(write(folder, FOLLOWED[name]))

    found = BaselineStore(folder / "baselines").load("promoted")
    assert status == 0
    assert found.provenance.n_rows == 240
    assert found.provenance.source == str(folder / "reference.jsonl")


def test_the_same_files_give_the_same_baseline_whatever_the_source(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted = []
    for source in ("{type: files, paths: [log.jsonl]}", FOLLOWED["kafka"]):
        run("baseline", "fit", write(folder, source), "--json")
        fitted.append(json.loads(capsys.readouterr().out)["id"])

    assert fitted[0] == fitted[1]


@pytest.mark.parametrize("name", FOLLOWED)
def test_without_reference_paths_the_message_asks_for_them(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    configuration = write(folder, FOLLOWED[name], "{from: '2026-09-01T00:00:00Z'}")

    status = fit(configuration)

    message = capsys.readouterr().err
    assert status == 1
    assert f"{configuration}: baseline.reference.paths: must name files" in message
    assert f"the source {name!r} can only be followed" in message
    assert "Traceback" not in message


@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.parametrize(
    "command",
    [
        ("audit",),
        ("report", "evidently", "--window", "2026-09-01", "--output", "page.html"),
    ],
    ids=lambda command: command[0],
)
def test_what_reads_outputs_again_says_that_they_cannot_be(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, command: tuple[str, ...]
) -> None:
    configuration = write(folder, FOLLOWED[name])
    fit(configuration)
    capsys.readouterr()
    verbs = 2 if command[0] == "report" else 1

    status = run(*command[:verbs], configuration, *command[verbs:])

    message = capsys.readouterr().err
    assert status == 1
    assert f"{configuration}: source: {name!r} can only be followed" in message
    assert "a source of type 'files'" in message
    assert "Traceback" not in message


def test_a_policy_is_tried_out_on_the_windows_that_were_followed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = (folder / "reference.jsonl").read_text("utf-8").replace("2026-09-0", "2026-09-1")
    (folder / "log.jsonl").write_text(log, "utf-8")
    files = write(folder, "{type: files, paths: [log.jsonl]}")
    fit(files)
    run("run", files, "--until-caught-up")
    followed = write(folder, FOLLOWED["kafka"])
    capsys.readouterr()

    status = run("backtest", followed, "--policy", followed, "--json")

    assert status == 0
    assert json.loads(capsys.readouterr().out)["windows"] == 48
