"""Outputs of a scorer and the labels that come for them later, and monitors that join them."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.cli import run_command_line
from monitor.engine.daemon.tally import StreamTally
from monitor.sources.labelled_stream.waiting import WaitingState
from monitor.storage.store import Store

__all__ = ["LABELS", "MONITOR", "OUTPUTS", "JoinMonitor", "expected_account", "fit", "lines"]

MONITOR = "loans/production"
START, HOUR, HORIZON = 1_767_225_600, 3_600, 6 * 3_600
N = 2_400
_END = START + 60 * HOUR

CONFIGURATION = """
version: 1
system: {{name: loans, stakes: consequential, protected_attributes: [sex]}}
source:
  type: labelled
  outputs: {outputs}
  labels: {labels}
  label_id: loan
  label_time: at
  columns: [repaid]
  horizon_seconds: 21600
schema:
  columns:
    - {{name: at, role: timestamp}}
    - {{name: id, role: event_id}}
    - {{name: sex, role: group}}
    - {{name: approved, role: prediction, dtype: boolean}}
    - {{name: repaid, role: label, dtype: boolean}}
windows: {{type: tumbling, seconds: 3600}}
baseline: {{directory: baselines, min_slice_rows: 100, reference: {{paths: [reference.jsonl]}}}}
slices: {{by: [sex]}}
detectors:
  - {{type: classification_performance, prediction: approved, label: repaid, rule: threshold}}
  - {{type: missing_rate, column: repaid, tolerance: 0.1, rule: threshold}}
storage: {{url: "{url}"}}
run: {{telemetry: null, checkpoint_seconds: 0.05, checkpoint_records: 60}}
"""


def _made() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    chance = random.Random(4)
    outputs, labels = [], []
    for number in range(N):
        at = START + number * 40
        approved = chance.random() < 0.5
        outputs.append(
            {"at": at, "id": f"e{number}", "sex": chance.choice("FM"), "approved": approved}
        )
        fate = chance.random()
        if fate < 0.8:
            delay = chance.randrange(-600, HORIZON)
        elif fate < 0.9:
            delay = HORIZON + 1 + chance.randrange(HOUR)
        else:
            continue
        repaid = chance.random() < 0.8
        labels.append({"at": at + delay, "loan": f"e{number}", "repaid": repaid})
    # Sent twice; which of two that differ is first would depend on their partitions.
    labels += labels[::50]
    labels.sort(key=lambda label: label["at"])
    labels = labels[: len(labels) // 2 * 2]
    # Two of each at the end, one for either partition: then everything before is due.
    for number in (N, N + 1):
        outputs.append({"at": _END, "id": f"e{number}", "sex": "F", "approved": True})
        labels.append({"at": _END, "loan": f"e{number}", "repaid": True})
    return outputs, labels


OUTPUTS, LABELS = _made()


def expected_account() -> tuple[int, int]:
    """Return how many outputs get a label in time, and how many do not."""
    first: dict[str, int] = {}
    for label in LABELS:
        first.setdefault(label["loan"], label["at"])
    in_time = sum(
        each["id"] in first and first[each["id"]] <= each["at"] + HORIZON for each in OUTPUTS
    )
    return in_time, len(OUTPUTS) - in_time


def lines(records: list[dict[str, Any]]) -> list[bytes]:
    """Return records as JSON."""
    return [json.dumps(each).encode() for each in records]


def fit(folder: Path) -> None:
    """Write reference and baseline."""
    chance = random.Random(1)
    reference = [
        {
            "at": START - 3 * 86_400 + number * 60,
            "id": f"r{number}",
            "sex": chance.choice("FM"),
            "approved": chance.random() < 0.5,
            "repaid": chance.random() < 0.8,
        }
        for number in range(3_000)
    ]
    (folder / "reference.jsonl").write_bytes(b"\n".join(lines(reference)))
    source = "{type: files, paths: [none/*.jsonl]}"
    text = CONFIGURATION.format(outputs=source, labels=source, url="sqlite://")
    (folder / "fit.yaml").write_text(text)
    command = ["baseline", "fit", str(folder / "fit.yaml"), "--promote", "--who", "Ada"]
    assert run_command_line([*command, "--why", "a test"]) == 0


@dataclass(frozen=True)
class JoinMonitor:
    """A monitor of its own database that joins two sources."""

    folder: Path
    name: str
    url: str
    outputs: str
    labels: str

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.yaml"

    def configure(self) -> "JoinMonitor":
        text = CONFIGURATION.format(outputs=self.outputs, labels=self.labels, url=self.url)
        self.path.write_text(text)
        return self

    def start(self) -> subprocess.Popen[bytes]:
        """Start a process that runs until it is ended."""
        command = [sys.executable, "-m", "monitor", "run", str(self.path)]
        with (self.folder / f"{self.name}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def finish(self) -> None:
        """Read what is left and close all windows."""
        assert run_command_line(["run", str(self.path), "--until-caught-up"]) in (0, 3)

    def tally(self) -> StreamTally:
        with Store.open(self.url) as store:
            rows = store.streams(MONITOR).partitions()
        return StreamTally.total(StreamTally.from_json(each.tally) for each in rows)

    def wait_until_read(self, n_records: int) -> None:
        self.wait(lambda: self.tally().n_records >= n_records)

    def wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90
        while not done():
            assert time.monotonic() < deadline, self._log()
            time.sleep(0.05)

    def waiting(self) -> int:
        with Store.open(self.url) as store:
            return store.awaiting_label(MONITOR).count(WaitingState.OUTPUT)

    def outcome(self) -> dict[Any, Any]:
        """Return every window, byte for byte, and what was found about it."""
        with Store.open(self.url) as store:
            (job,) = store.jobs()
            windows = {each.key: each.body for each in store.windows(job.id) if each.n_rows}
            findings = {(each.key, each.id) for each in store.findings(job.id)}
            incidents = {each.id for each in store.incidents(MONITOR).all()}
        return {"windows": windows, "findings": findings, "incidents": incidents}

    def _log(self) -> str:
        path = self.folder / f"{self.name}.log"
        return path.read_text()[-3_000:] if path.exists() else ""
