"""A run that ends once it has caught up: nothing is left out, nothing is waited for."""

import json
from pathlib import Path

import pytest

from monitor.cli import run_command_line
from monitor.storage.store import Store

DAY_US = 86_400_000_000
CONFIGURATION = """
version: 1
system: {name: toy, environment: test}
source: {type: files, paths: ["logs/*.jsonl"], poll_seconds: 0.05}
schema:
  columns:
    - {name: ts, role: timestamp}
    - {name: id, role: event_id}
    - {name: kind, role: category}
windows: {type: tumbling, seconds: 86400}
baseline: {reference: {paths: [reference.jsonl]}}
detectors:
  - {type: unseen_levels, column: kind}
storage: {url: "sqlite:///toy.db"}
run: {telemetry: null, checkpoint_seconds: 0.05, deduplicate: true}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "toy.yaml").write_text(CONFIGURATION)
    rows = [row(f"r{number}", number % 10) for number in range(200)]
    (tmp_path / "reference.jsonl").write_text("".join(line + "\n" for line in rows))
    fit = ["baseline", "fit", str(tmp_path / "toy.yaml"), "--promote", "--who", "a", "--why", "b"]
    assert run_command_line(fit) == 0
    return tmp_path


def row(name: str, day: int) -> str:
    return json.dumps({"ts": 1_788_220_800 + day * 86_400, "id": name, "kind": "ab"[day % 2]})


def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    status = run_command_line(["run", str(folder / "toy.yaml"), "--until-caught-up", "--json"])
    assert status in (0, 3)
    return json.loads(capsys.readouterr().out)


def test_a_last_line_without_a_newline_is_counted_at_the_end(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "logs" / "a.jsonl").write_text(row("a", 20) + "\n" + row("b", 21))

    summary = run(folder, capsys)

    assert (summary["n_records"], summary["n_rows"], summary["windows"]) == (2, 2, 2)


def test_a_run_over_an_empty_folder_ends(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = run(folder, capsys)

    assert (summary["ending"], summary["n_records"]) == ("finished", 0)


def test_ids_that_are_kept_at_the_same_position_again_stay() -> None:
    with Store.open("sqlite://") as store:
        streams = store.streams("toy")
        streams.add_ids("p", DAY_US, 7, b"12345678")
        streams.add_ids("p", DAY_US, 7, b"abcdefgh")

        assert list(streams.ids_of("p")) == [(DAY_US, b"12345678abcdefgh")]
