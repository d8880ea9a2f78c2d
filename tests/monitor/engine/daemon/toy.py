"""A small monitor for the daemon's tests: its configuration, its baseline, its traffic."""

import contextlib
import functools
import json
import random
import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from baselines.baseline import Baseline
from baselines.codec import decode_baseline, encode_baseline
from baselines.counting import Counter
from baselines.store import BaselineStore
from baselines.summary import Window
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.decoding.base import Needs, Origin
from monitor.decoding.message_batch import MessageDecoder
from monitor.decoding.plan import plan_decoding
from monitor.engine.closing import Closing, by_bucket
from monitor.engine.fit import fit_baseline
from monitor.engine.partition import Partition
from monitor.engine.planning import needed_columns
from monitor.engine.progress import NoProgress
from monitor.storage.store import Store
from monitor.windows.spec import TumblingWindows

__all__ = [
    "CLOCK",
    "HOUR",
    "START",
    "Event",
    "baseline",
    "closed",
    "configure",
    "counted_rows",
    "events",
    "found",
    "lines",
]

Event = dict[str, Any]

HOUR = 3_600
START = 1_735_689_600
"""The first hour that is watched, a Wednesday, seconds; the baseline is of the days before it."""

REFERENCE_HOURS = 4 * 24
CLOCK = FixedClock(1_800_000_000_000_000)

CONFIGURATION = """
version: 1
system: {{name: toy, environment: test, stakes: consequential, protected_attributes: [sex]}}
source: {{type: files, paths: {paths}, poll_seconds: 0.02, settle_seconds: 0.1}}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: id, role: event_id}}
    - {{name: score, role: score}}
    - {{name: plan, role: category}}
    - {{name: region, role: slice}}
    - {{name: sex, role: group}}
    - {{name: approved, role: prediction, dtype: boolean}}
    - {{name: checks, role: safety_check}}
windows: {{type: tumbling, seconds: {seconds}, allowed_lateness_seconds: {lateness}}}
slices: {{by: [region], max_values: 3}}
baseline: {{directory: baselines, min_slice_rows: 100, reference: {{paths: [reference.jsonl]}}}}
storage: {{url: "{url}"}}
detectors:
  - {{type: distribution_shift, column: [score, plan], tolerance: 0.1}}
  - {{type: missing_rate, column: score}}
  - {{type: unseen_levels, column: plan}}
  - {{type: rate_change, column: approved, tolerance_difference: 0.1}}
  - {{type: selection_rate_gap, outcome: approved, group: sex}}
  - {{type: filter_silence, check: output/moderation}}
  - {{type: volume, for_windows: 2}}
{more}
run: {{telemetry: null, checkpoint_seconds: 0.05, idle_seconds: 100000, {run}}}
"""


def events(
    first_hour: int,
    n_hours: int,
    *,
    seed: int,
    per_hour: int = 30,
    drift_from: int = 1_000_000,
    drift_until: int = 1_000_000,
    regions: Sequence[str] = ("eu", "us"),
) -> list[Event]:
    """Return traffic in order of time; between two hours it is not what it was."""
    chance = random.Random(seed)
    found: list[Event] = []
    for hour in range(first_hour, first_hour + n_hours):
        drifts = drift_from <= hour < drift_until
        for number in range(per_hour + chance.randrange(5)):
            sex = chance.choice("fm")
            approved = chance.random() < (0.2 if drifts and sex == "f" else 0.5)
            missing = chance.random() < 0.02
            found.append(
                {
                    "ts": START + hour * HOUR + chance.randrange(HOUR),
                    "id": f"{seed}-{hour}-{number}",
                    "score": None if missing else chance.gauss(0.8 if drifts else 0.5, 0.2),
                    "plan": chance.choice("aab" if drifts else "abc"),
                    "region": chance.choice(list(regions)),
                    "sex": sex,
                    "approved": approved,
                    "checks": [_check(not drifts and chance.random() < 0.2)],
                }
            )
    return sorted(found, key=lambda event: (event["ts"], event["id"]))


def _check(flagged: bool) -> Event:
    action = "block" if flagged else "none"
    verdict = {"stage": "output", "filter": "moderation", "category": "violence"}
    return {**verdict, "status": "ok", "flagged": flagged, "action": action}


def lines(found: Iterable[Event]) -> str:
    """Return events as JSON Lines."""
    return "".join(json.dumps(event) + "\n" for event in found)


def configure(
    folder: Path,
    *,
    paths: str = '["logs/*.jsonl*"]',
    url: str = "sqlite:///state.db",
    name: str = "monitor.yaml",
    run: str = "",
    more: str = "",
    seconds: int = HOUR,
    lateness: int = HOUR,
) -> Path:
    """Write a configuration with a promoted baseline beside it and return its path."""
    path = folder / name
    path.write_text(
        CONFIGURATION.format(
            paths=paths, url=url, run=run, more=more, seconds=seconds, lateness=lateness
        )
    )
    (folder / "logs").mkdir(exist_ok=True)
    store = BaselineStore(folder / "baselines")
    saved = store.save(baseline())
    store.promote(saved, who="Ada", why="the days before", at=CLOCK.us)
    return path


@functools.cache
def baseline() -> Baseline:
    """Return the baseline of the days before `START`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "fit.yaml"
        path.write_text(
            CONFIGURATION.format(
                paths='["*.jsonl"]', url="sqlite://", run="", more="", seconds=HOUR, lateness=0
            )
        )
        past = events(-REFERENCE_HOURS, REFERENCE_HOURS, seed=1)
        (folder / "reference.jsonl").write_text(lines(past))
        fitted = fit_baseline(load_configuration(path), clock=CLOCK, progress=NoProgress())
    return decode_baseline(encode_baseline(fitted.baseline))


def found(store: Store, job_id: str) -> list[Any]:
    """Return the windows, the findings and the incidents that a run or an audit has stored."""
    windows = [(window.key, window.n_rows, window.body) for window in store.windows(job_id)]
    findings = [(stored.id, stored.finding) for stored in store.findings(job_id)]
    return [windows, findings, store.incidents().all()]


def closed(rows: Sequence[Event]) -> list[tuple[Window, ...]]:
    """Return the windows that events give, one group for each stretch of time."""
    layout = baseline().layout
    cut = TumblingWindows(seconds=HOUR)
    with tempfile.TemporaryDirectory() as name:
        schema = load_configuration(configure(Path(name))).schema
    decoder = MessageDecoder(
        plan_decoding(schema, Needs(columns=needed_columns(layout, (("region",),))))
    )
    payloads = lines(rows).encode().splitlines()
    columns = decoder.decode(payloads, Origin(path="", position="", first_line=1)).columns
    counts = Partition(windows=cut, by=(("region",),)).count(columns, Counter(layout))
    partials = sorted((start, slice_) for slice_, start in counts)
    merged = ((start, slice_, counts[slice_, start]) for start, slice_ in partials)
    return list(Closing(layout=layout, windows=cut, max_values=3).close(by_bucket(merged)))


def counted_rows(database: Path) -> int:
    """Return how many outputs a run has counted so far; it only reads."""
    if not database.is_file():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            found = connection.execute("SELECT tally FROM partition").fetchall()
        except sqlite3.OperationalError:
            # The tables are not there yet.
            return 0
    return sum(int(json.loads(tally).get("n_rows", 0)) for (tally,) in found)
