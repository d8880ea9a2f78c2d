"""Outputs for chaos: partitions of a topic, and the same outputs as files for an audit."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.clock import FixedClock

__all__ = ["CLOCK", "Scenario", "write_configuration", "write_reference"]

HOUR = 3_600
BEGIN = 1_788_220_800
REFERENCE_HOURS = 3 * 24
REFERENCE_ROWS = 40
STREAM_HOURS = 30
LATENESS = HOUR
STREAM_BEGIN = BEGIN + REFERENCE_HOURS * HOUR
CLOCK = FixedClock((STREAM_BEGIN + (STREAM_HOURS + 2) * HOUR) * 1_000_000)

CONFIGURATION = """
version: 1
system: {{name: toy, environment: test, stakes: inconvenience, reversibility: correctable}}
source: {source}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: event_id, role: event_id}}
    - {{name: score, role: score}}
    - {{name: kind, role: category}}
    - {{name: region, role: slice}}
    - {{name: refused, role: prediction, dtype: boolean}}
baseline:
  directory: "{baselines}"
  min_slice_rows: 100
  max_bins: 8
  reference: {{paths: ["{reference}"]}}
windows: {{type: tumbling, seconds: 3600, allowed_lateness_seconds: 3600}}
slices: {{by: [region]}}
detectors:
  - {{type: distribution_shift, column: score, tolerance: 0.1}}
  - {{type: rate_change, column: refused, tolerance_difference: 0.03}}
  - {{type: volume, for_windows: 2}}
storage: {{url: "{storage}"}}
dead_letters: {{path: "{folder}/dead_letters.jsonl", max_samples_per_reason: 1000}}
run:
  telemetry: {telemetry}
  deduplicate: true
  checkpoint_seconds: {checkpoint_seconds}
  checkpoint_records: {checkpoint_records}
  idle_seconds: 1000000
  unattended_seconds: 1000000
  database_patience_seconds: {patience_seconds}
"""


@dataclass(frozen=True)
class Scenario:
    """Records of each partition in their order, and the outputs that count, each once.

    Parameters
    ----------
    partitions
        Out of order within the lateness; some records are repeated within it, some are no
        outputs at all, and some have a time that has not come yet.
    outputs
        Every output once.
    """

    partitions: tuple[tuple[bytes, ...], ...]
    outputs: tuple[bytes, ...]

    @classmethod
    def seeded(
        cls, seed: int, *, n_partitions: int = 4, rows: int = 40, hours: int = STREAM_HOURS
    ) -> "Scenario":
        """Return the scenario of a seed, with so many outputs an hour; half-way they change.

        There are at most 30 hours.
        """
        chance = random.Random(seed)
        arriving: list[list[tuple[float, bytes]]] = [[] for _ in range(n_partitions)]
        outputs = []
        for number, record in enumerate(_records(chance, STREAM_BEGIN, hours, rows)):
            partition = arriving[chance.randrange(n_partitions)]
            outputs.append(_bytes(record))
            times = 2 if chance.random() < 0.04 else 1
            for _ in range(times):
                delay = chance.uniform(0, LATENESS - 1) if chance.random() < 0.4 else 0.0
                partition.append((record["ts"] + delay, outputs[-1]))
            if chance.random() < 0.01:
                ruined = chance.choice([b"{bad json", b"\xff\xfe", b'{"event_id": "x"}', b""])
                partition.append((record["ts"], ruined))
            if chance.random() < 0.005:
                early = {**record, "ts": BEGIN + 10**8, "event_id": f"f{number}"}
                partition.append((record["ts"], _bytes(early)))
        ordered = [sorted(partition, key=lambda each: each[0]) for partition in arriving]
        return cls(
            partitions=tuple(tuple(payload for _, payload in each) for each in ordered),
            outputs=tuple(outputs),
        )

    @property
    def n_records(self) -> int:
        """How many records the partitions hold."""
        return sum(len(partition) for partition in self.partitions)


def write_reference(path: Path) -> None:
    """Write two weeks without any change."""
    records = _records(random.Random(0), BEGIN, REFERENCE_HOURS, REFERENCE_ROWS)
    path.write_bytes(b"".join(_bytes(record) + b"\n" for record in records))


def write_configuration(
    path: Path,
    *,
    source: str,
    shared: Path,
    storage: str,
    checkpoint_records: int = 20,
    checkpoint_seconds: float = 2.0,
    patience_seconds: float = 60.0,
    telemetry: str = "null",
) -> Path:
    """Write a configuration; reference and baselines are in the folder `shared`."""
    path.write_text(
        CONFIGURATION.format(
            source=source,
            baselines=shared / "baselines",
            reference=shared / "reference.jsonl",
            storage=storage,
            folder=path.parent,
            checkpoint_records=checkpoint_records,
            checkpoint_seconds=checkpoint_seconds,
            patience_seconds=patience_seconds,
            telemetry=telemetry,
        )
    )
    return path


def _records(chance: random.Random, begin: int, hours: int, rows: int) -> Iterator[dict[str, Any]]:
    number = 0
    for hour in range(hours):
        changed = begin == STREAM_BEGIN and hour >= hours // 2
        for _ in range(rows):
            number += 1
            yield {
                "ts": begin + hour * HOUR + chance.randrange(HOUR),
                "event_id": f"e{begin}-{number}",
                "score": round(chance.gauss(0.8 if changed else 0.5, 0.2), 6),
                "kind": chance.choice("aab" if changed else "abc"),
                "region": chance.choice(["EU", "US"]),
                "refused": chance.random() < (0.2 if changed else 0.05),
            }


def _bytes(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()
