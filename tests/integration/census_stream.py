"""Two hundred thousand real model outputs as a stream: shuffled, repeated, some of them broken."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["CONFIGURATION", "Stream", "census_stream", "configuration"]

N_EVENTS = 200_000
PARTITIONS = 4
LATENESS_SECONDS = 300
START_SECONDS = 1_704_067_200  # 2024-01-01
SECONDS_AN_EVENT = 0.5
REPEATED, BROKEN = 0.01, 0.001
DAMAGE = (b'{"time": 17040', b"[1, 2]", b'{"id": 1}', b'{"time": "soon", "id": 2}', b"\xff\xfe")
COLUMNS = ("AGEP", "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIL", "ANC", "SEX", "RAC1P")
CATEGORIES = COLUMNS[1:9]

CONFIGURATION = f"""
version: 1
system: {{name: employment-classifier, protected_attributes: [SEX, RAC1P]}}
source: SOURCE
schema:
  columns:
    - {{name: time, role: timestamp}}
    - {{name: id, role: event_id}}
    - {{name: AGEP, role: numeric, dtype: int64, unit: years}}
{"".join(f"    - {{name: {name}, role: category}}" + chr(10) for name in CATEGORIES)}
    - {{name: SEX, role: group}}
    - {{name: RAC1P, role: group}}
    - {{name: prediction, role: prediction, positive: ["1"]}}
    - {{name: predicted_probability, role: score}}
windows: {{type: tumbling, seconds: 1800, allowed_lateness_seconds: {LATENESS_SECONDS}}}
slices: {{by: [SEX]}}
baseline: {{directory: baselines, reference: {{paths: [reference.jsonl]}}}}
detectors:
  - {{type: distribution_shift, column: [AGEP, RELP, predicted_probability]}}
  - {{type: rate_change, column: RELP, level: "17"}}
  - {{type: selection_rate_gap, group: SEX, outcome: prediction}}
storage: {{url: "sqlite:///NAME.db"}}
run: {{telemetry: null, deduplicate: true}}
"""


def configuration(folder: Path, name: str, source: str) -> Path:
    """Write a configuration with a database of its own and return its path."""
    path = folder / f"{name}.yaml"
    path.write_text(CONFIGURATION.replace("SOURCE", source).replace("NAME", name), "utf-8")
    return path


@dataclass(frozen=True)
class Stream:
    """What is sent, and what must come out of it.

    Parameters
    ----------
    records
        For each partition what is sent to it, in order.
    n_rows, n_duplicates, n_rejected
        The account that a monitor must give.
    """

    records: tuple[list[bytes], ...]
    n_rows: int
    n_duplicates: int
    n_rejected: int


def census_stream(data: Path, folder: Path) -> Stream:
    """Write reference and log as files in order, and return the log as a stream.

    An event is sent up to four fifths of the allowed lateness after its time, and so is its
    repetition, to the same partition: nothing may be late.
    """
    table = pd.read_parquet(data / "census_employment" / "predictions.parquet")
    is_reference = table["period"] == "reference"
    (folder / "reference.jsonl").write_bytes(
        b"".join(payload + b"\n" for _, payload in _payloads(table[is_reference], 0))
    )
    draw = random.Random(20_150_101)
    sent: list[tuple[float, int, bytes]] = []
    n_duplicates = n_rejected = 0
    analysed = table[~is_reference][:N_EVENTS]
    with (folder / "log.jsonl").open("wb") as log:
        for seconds, payload in _payloads(analysed, int(is_reference.sum())):
            partition = draw.randrange(PARTITIONS)
            times = 1 + (draw.random() < REPEATED)
            n_duplicates += times - 1
            for _ in range(times):
                delay = 0.8 * LATENESS_SECONDS * draw.random()
                sent.append((seconds + delay, partition, payload))
            log.write(payload + b"\n")
            if draw.random() < BROKEN:
                n_rejected += 1
                broken = draw.choice(DAMAGE)
                sent.append((seconds, partition, broken))
                log.write(broken + b"\n")
    records: tuple[list[bytes], ...] = tuple([] for _ in range(PARTITIONS))
    for _, partition, payload in sorted(sent, key=lambda one: one[0]):
        records[partition].append(payload)
    return Stream(records, len(analysed), n_duplicates, n_rejected)


def _payloads(table: pd.DataFrame, first: int) -> Iterator[tuple[float, bytes]]:
    columns = ["id", *COLUMNS, "prediction", "predicted_probability"]
    for number, row in enumerate(table[columns].itertuples(index=False), start=first):
        record: dict[str, Any] = dict(zip(columns, row, strict=True))
        seconds = START_SECONDS + number * SECONDS_AN_EVENT
        yield seconds, json.dumps({"time": seconds, **record}).encode()
