"""Audit of a Parquet log beside decoding it alone and beside evidently, as ratios of one run.

    python benchmarks/audit.py [--rows 5000000] [--keep FOLDER]

Every contender is a process of its own; the figure is the CPU time of the process (user and
system) and its peak memory, so a busy machine changes little. Imports count; `start` shows what
an audit costs before it reads the first row. The log has 25 columns: 15 numeric (float64,
rounded, float32; 1 % missing in three), 5 categorical of 5 to 1,000 levels, 2 groups, a
prediction, a label and a timestamp.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROW_GROUP = 262_144
ROWS_PER_FILE = 2 * 1_048_576
NUMERIC = [f"n{position}" for position in range(15)]
CATEGORIES = {"c0": 5, "c1": 12, "c2": 40, "c3": 200, "c4": 1_000}
DAY_US = 86_400_000_000
EVIDENTLY_ROWS = 100_000


def write_log(folder: Path, rows: int) -> None:
    """Write the log, in row groups, seeded."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(20261124)
    start, written, number = 1_767_225_600_000_000, 0, 0
    while written < rows:
        n_rows = min(ROWS_PER_FILE, rows - written)
        day = written / rows * 7
        times = start + (day + np.sort(generator.random(n_rows)) * 7 * n_rows / rows) * DAY_US
        columns: dict[str, Any] = {"ts": pa.array(times.astype(np.int64), pa.timestamp("us"))}
        for position, name in enumerate(NUMERIC):
            values = (
                generator.lognormal(size=n_rows) if position % 3 else generator.normal(size=n_rows)
            )
            if 8 <= position < 12:
                values = values.round(2)
            mask = generator.random(n_rows) < 0.01 if position < 3 else None
            kind = pa.float32() if position >= 12 else pa.float64()
            columns[name] = pa.array(values.astype(kind.to_pandas_dtype()), kind, mask=mask)
        for name, levels in CATEGORIES.items():
            codes = np.minimum(generator.zipf(1.5, n_rows), levels) - 1
            words = pa.array([f"{name}_{level}" for level in range(levels)])
            columns[name] = words.take(pa.array(codes))
        for name, levels in {"sex": ["f", "m"], "region": ["a", "b", "c", "d"]}.items():
            columns[name] = pa.array(levels).take(
                pa.array(generator.integers(0, len(levels), n_rows))
            )
        columns["approved"] = pa.array(generator.random(n_rows) < 0.4)
        columns["label"] = pa.array(generator.random(n_rows) < 0.4)
        pq.write_table(
            pa.table(columns), folder / f"log-{number:03d}.parquet", row_group_size=ROW_GROUP
        )
        written, number = written + n_rows, number + 1


CONFIGURATION = """
version: 1
system: {name: benchmark, protected_attributes: [sex]}
source: {type: files, paths: ["*.parquet"]}
schema:
  columns:
    - {name: ts, role: timestamp}
%(columns)s
    - {name: sex, role: group}
    - {name: region, role: group}
    - {name: approved, role: prediction, dtype: boolean}
    - {name: label, role: label, dtype: boolean}
windows: {type: tumbling, seconds: %(seconds)d}
baseline: {directory: baselines, reference: {paths: ["log-000.parquet"]}}
storage: {url: "sqlite:///audit.db"}
detectors:
  - {type: distribution_shift, column: "*"}
  - {type: missing_rate, column: "*"}
  - {type: selection_rate_gap, outcome: approved, group: [sex, region, [sex, region]]}
  - {type: error_rate_gap, prediction: approved, label: label, group: sex, metric: fpr}
"""


def write_configuration(folder: Path, seconds: int) -> Path:
    """Write the configuration of the audit, with windows of so many seconds."""
    columns = [f"    - {{name: {name}, role: numeric}}" for name in NUMERIC]
    columns += [f"    - {{name: {name}, role: category}}" for name in CATEGORIES]
    path = folder / "audit.yaml"
    path.write_text(CONFIGURATION % {"columns": "\n".join(columns), "seconds": seconds})
    return path


def read_bytes(folder: Path) -> None:
    """Read the files, decoding nothing."""
    for path in sorted(folder.glob("*.parquet")):
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass


def decode(folder: Path) -> None:
    """Decode every row group of every file, strings as dictionaries, one thread."""
    import pyarrow.parquet as pq

    for path in sorted(folder.glob("*.parquet")):
        file = pq.ParquetFile(path, read_dictionary=[*CATEGORIES, "sex", "region"])
        for group in range(file.num_row_groups):
            file.read_row_group(group, use_threads=False)


def count(folder: Path) -> None:
    """Decode and count every row on the baseline's grids: rows to window summaries."""
    from baselines.counting import Counter
    from baselines.store import BaselineStore
    from monitor.config.load import load_configuration
    from monitor.decoding.base import Needs
    from monitor.engine.planning import planned_work
    from monitor.engine.progress import NoProgress
    from monitor.engine.reading import Reading, TimeRange
    from monitor.features.registry import with_features

    configuration = load_configuration(folder / "audit.yaml")
    baseline = BaselineStore(configuration.baseline.directory).load()
    reading = Reading(
        source=configuration.source,
        schema=with_features(configuration.schema),
        needs=Needs(),
        time=TimeRange(),
    )
    units = tuple(configuration.source.units())
    work = planned_work(configuration, reading, baseline.layout, units, NoProgress())
    counter = Counter(baseline.layout)
    for unit in units:
        work.run(unit, counter)


def start(folder: Path) -> None:
    """Import what an audit imports, read the configuration, open the database, do nothing."""
    import monitor.engine.audit
    from monitor.config.load import load_configuration
    from monitor.severity.scoring import FiveAxes
    from monitor.storage.store import Store

    configuration = load_configuration(folder / "audit.yaml")
    Store.open(configuration.storage.url).close()
    del monitor.engine.audit, FiveAxes


def audit(folder: Path) -> None:
    """Run the whole command: counting, ledger, detectors, incidents."""
    from monitor.cli import run_command_line

    with contextlib.redirect_stdout(sys.stderr):
        status = run_command_line(["audit", str(folder / "audit.yaml"), "--json"])
    if status not in (0, 3):
        raise SystemExit(status)


def evidently(folder: Path) -> None:
    """Run evidently's DataDriftPreset on a sample that it can hold."""
    os.environ["DO_NOT_TRACK"] = "1"
    import pyarrow.parquet as pq
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    rows = pq.ParquetFile(folder / "log-000.parquet").read_row_group(0).to_pandas()
    definition = DataDefinition(
        numerical_columns=NUMERIC, categorical_columns=[*CATEGORIES, "sex"]
    )
    halves = (rows[:EVIDENTLY_ROWS], rows[EVIDENTLY_ROWS : 2 * EVIDENTLY_ROWS])
    reference, current = (Dataset.from_pandas(half, definition) for half in halves)
    Report([DataDriftPreset()]).run(current, reference)


def fit(folder: Path) -> None:
    """Fit and promote the baseline; not measured."""
    from monitor.cli import run_command_line

    configuration = str(folder / "audit.yaml")
    with contextlib.redirect_stdout(sys.stderr):
        command = ["baseline", "fit", configuration, "--promote", "--who", "bench", "--why", "run"]
        if run_command_line(command) != 0:
            raise SystemExit(1)


def _measured(contender: Callable[[Path], None], folder: Path, pipe: Connection) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    contender(folder)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    pipe.send((cpu, peak_mib()))


def peak_mib() -> float:
    """Return this process's own peak memory in MiB; `ru_maxrss` would include its parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def measure(contender: Callable[[Path], None], folder: Path) -> tuple[float, float]:
    """Return CPU seconds (imports included) and peak MiB of the contender in a new process."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(contender, folder, sending))
    process.start()
    process.join()
    if process.exitcode != 0:
        message = f"{contender.__name__} failed"
        raise SystemExit(message)
    cpu, peak = receiving.recv()
    return cpu, peak


@contextlib.contextmanager
def working_folder(keep: str | None) -> Iterator[Path]:
    """Yield the folder to work in."""
    if keep is not None:
        Path(keep).mkdir(parents=True, exist_ok=True)
        yield Path(keep)
        return
    with tempfile.TemporaryDirectory(prefix="outputwatch-bench-") as folder:
        yield Path(folder)


def main() -> None:
    """Measure every contender and print ratios to decoding alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--window-seconds", type=int, default=86_400)
    parser.add_argument("--keep", help="a folder to keep the log in, and to find it again")
    arguments = parser.parse_args()
    with working_folder(arguments.keep) as folder:
        if not list(folder.glob("*.parquet")):
            write_log(folder, arguments.rows)
        for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
            (folder / name).unlink(missing_ok=True)
        write_configuration(folder, arguments.window_seconds)
        measure(fit, folder)
        size = sum(path.stat().st_size for path in folder.glob("*.parquet"))
        print(f"{arguments.rows:,} rows, 25 columns, {size / 1e6:,.0f} MB of Parquet")
        results = {}
        for contender in (read_bytes, decode, count, start, audit, evidently):
            started = time.perf_counter()
            cpu, peak = measure(contender, folder)
            results[contender.__name__] = {"cpu_seconds": cpu, "peak_mib": peak}
            wall = time.perf_counter() - started
            print(f"{contender.__name__:12} {cpu:8.2f} CPU s {peak:8.0f} MiB {wall:8.1f} s wall")
        alone = results["decode"]["cpu_seconds"]
        net = results["audit"]["cpu_seconds"] - results["start"]["cpu_seconds"]
        print(f"count / decode alone: {results['count']['cpu_seconds'] / alone:.2f}")
        print(f"audit / decode alone: {results['audit']['cpu_seconds'] / alone:.2f}")
        print(f"audit without its start / decode alone: {net / alone:.2f}")
        per_row = results["evidently"]["cpu_seconds"] / (2 * EVIDENTLY_ROWS)
        ours = results["audit"]["cpu_seconds"] / arguments.rows
        print(f"evidently, CPU a row / audit, CPU a row: {per_row / ours:.0f}")
        print(json.dumps(results), file=sys.stderr)


if __name__ == "__main__":
    main()
