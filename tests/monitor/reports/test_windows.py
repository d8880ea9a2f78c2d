"""An audit's windows can be asked again: the same counts, other options."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from baselines.baseline import Baseline
from baselines.summary import Window
from detectors.distribution_shift import DistributionShift
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.demo.configurations import write_configurations
from monitor.demo.scenario import at
from monitor.demo.writing import write_events
from monitor.engine.audit import AuditResult, run_audit
from monitor.engine.fit import fit_baseline
from monitor.engine.progress import NoProgress
from monitor.engine.reading import TimeRange
from monitor.engine.runners.serial import SerialRunner
from monitor.reports.windows import audited_windows, findings_frame
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store


@dataclass(frozen=True)
class Audited:
    baseline: Baseline
    audit: AuditResult
    store: Store

    def windows(self, part: str = "all") -> tuple[Window, ...]:
        return audited_windows(self.store, self.audit.job_id, self.baseline, slice=part)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    folder: Path = tmp_path_factory.mktemp("audited")
    write_events(folder, n_events=60_000, seed=1)
    configuration = load_configuration(write_configurations(folder)["loan-scorer"])
    clock, silent = FixedClock(at(31)), NoProgress()
    baseline = fit_baseline(configuration, clock=clock, progress=silent).baseline
    with Store.open(f"sqlite:///{folder}/audit.db") as store:
        audit = run_audit(
            configuration,
            baseline=baseline,
            store=store,
            policy=FiveAxes(),
            clock=clock,
            progress=silent,
            runner=SerialRunner(),
            time=TimeRange(from_us=at(15)),
        )
        yield Audited(baseline, audit, store)


def test_the_windows_are_the_days_in_order_and_hold_every_row(audited: Audited) -> None:
    windows = audited.windows()

    assert [window.key.start_us for window in windows] == [at(day) for day in range(15, 31)]
    assert sum(window.summary.n_rows for window in windows) == audited.audit.totals.n_rows


def test_slices_add_up_to_all_traffic(audited: Audited) -> None:
    parts = [
        sum(window.summary.n_rows for window in audited.windows(f"channel={channel}"))
        for channel in ("branch", "broker", "mobile", "web")
    ]

    assert sum(parts) == audited.audit.totals.n_rows


def test_a_larger_tolerance_calls_fewer_windows_beyond(audited: Audited) -> None:
    strict = DistributionShift(column="income", tolerance=0.05)
    lenient = dataclasses.replace(strict, tolerance=0.5)
    reference = audited.baseline.reference()

    frames = [findings_frame(each, reference, audited.windows()) for each in (strict, lenient)]

    beyond = [int((frame["verdict"] == "beyond").sum()) for frame in frames]
    assert beyond[0] > 5
    assert beyond[1] == 0


def test_the_frame_shows_bounds_in_order_and_nothing_without_evidence(audited: Audited) -> None:
    detector = DistributionShift(column="income", min_rows=700)

    frame = findings_frame(detector, audited.baseline.reference(), audited.windows())

    judged = frame[frame["verdict"] != "insufficient_data"]
    assert (frame["verdict"] == "insufficient_data").any()
    assert frame.loc[frame["verdict"] == "insufficient_data", "effect"].isna().all()
    assert (judged["low"] <= judged["effect"]).all()
    assert (judged["effect"] <= judged["high"]).all()
    assert str(frame.index.tz) == "UTC"
