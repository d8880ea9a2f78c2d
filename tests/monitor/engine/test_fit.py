"""What a fitted baseline remembers of the events it was fitted on."""

import json
from pathlib import Path

import pytest

from baselines.baseline import Provenance
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.engine import reference_history
from monitor.engine.fit import Fitted, fit_baseline
from monitor.engine.progress import NoProgress
from monitor.engine.reading import TimeRange

DAY = 86_400_000_000
START = 1_788_220_800_000_000  # 2026-09-01
CONFIGURATION = """
version: 1
system: {{name: answers}}
source: {{type: files, paths: [log.jsonl]}}
schema:
  columns:
    - {{name: at, role: {role}}}
    - {{name: topic, role: slice}}
windows: {windows}
slices: {{by: [topic]}}
detectors: [{{type: missing_rate, column: topic}}]
"""


def fitted(folder: Path, role: str, windows: str, time: TimeRange | None = None) -> Provenance:
    return fitted_whole(folder, role, windows, time).baseline.provenance


def fitted_whole(folder: Path, role: str, windows: str, time: TimeRange | None = None) -> Fitted:
    days = (3, 1, 2, 1, 8)
    events = [{"at": f"2026-09-0{day}T12:00:00Z", "topic": "ab"[day % 2]} for day in days]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, events)), "utf-8")
    path = folder / "answers.yaml"
    path.write_text(CONFIGURATION.format(role=role, windows=windows), "utf-8")
    return fit_baseline(
        load_configuration(path), clock=FixedClock(START), progress=NoProgress(), time=time
    )


def test_the_first_and_the_last_event_time_are_those_that_were_counted(tmp_path: Path) -> None:
    time = TimeRange(from_us=None, to_us=START + 6 * DAY)

    provenance = fitted(tmp_path, "timestamp", "{type: tumbling, seconds: 86400}", time)

    assert provenance.first_us == START + DAY // 2
    assert provenance.last_us == START + 2 * DAY + DAY // 2
    assert (provenance.from_us, provenance.to_us) == (None, START + 6 * DAY)


@pytest.mark.parametrize(
    ("windows", "described", "n_windows"),
    [
        (
            "{type: tumbling, seconds: 86400}",
            {
                "type": "tumbling",
                "seconds": 86_400,
                "offset_seconds": 0,
                "allowed_lateness_seconds": 3_600,
            },
            8,
        ),
        ("{type: count, rows: 2}", {"type": "count", "rows": 2}, 3),
    ],
)
def test_windows_are_remembered_as_options_and_counted_once_whatever_the_slices(
    tmp_path: Path, windows: str, described: dict[str, object], n_windows: int
) -> None:
    provenance = fitted(tmp_path, "timestamp", windows)

    assert provenance.windows == described
    assert provenance.n_windows == n_windows


def test_events_without_times_have_no_first_and_last(tmp_path: Path) -> None:
    provenance = fitted(tmp_path, "category", "{type: count, rows: 2}")

    assert (provenance.first_us, provenance.last_us) == (None, None)


@pytest.mark.parametrize(
    ("n_windows", "kept", "n_left_out"),
    [
        (100, "all b all a all b all all all all all a", 0),
        (9, "all all all all all all all all a", 0),
        (3, "all all all", 5),
        (0, "all", 7),
    ],
)
def test_the_history_keeps_the_latest_windows_that_fit_all_traffic_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_windows: int, kept: str, n_left_out: int
) -> None:
    windows = "{type: tumbling, seconds: 86400}"
    whole = fitted_whole(tmp_path, "timestamp", windows).baseline
    cells = n_windows * whole.layout.n_cells
    monkeypatch.setattr(reference_history, "MAX_HISTORY_CELLS", cells)

    made = fitted_whole(tmp_path, "timestamp", windows)

    slices = [window.key.slice.rpartition("=")[2] for window in made.baseline.history]
    assert slices == kept.split()
    assert made.baseline.history[-1] == whole.history[-1] or n_windows < 9
    assert made.n_left_out == n_left_out
    assert made.baseline.provenance.n_windows == 8 - n_left_out
    assert made.baseline.references == whole.references
