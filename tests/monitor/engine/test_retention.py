"""Whose windows, findings and ledgers are old, and what holds them."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from baselines.packing import encode_counts
from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.clock import FixedClock
from monitor.config.retention import RetentionSettings
from monitor.decision.state import SeriesKey, SeriesState
from monitor.engine.daemon.upkeep import Upkeep
from monitor.engine.retention import Retention, RetentionReport, Step
from monitor.incidents.breaches import Breach, GroupingRules
from monitor.incidents.grouping import apply
from monitor.incidents.observations import SignalIdentity, observation_of
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.storage import Store
from monitor.storage.compaction import compacted_until, first_full
from monitor.storage.findings import StoredFinding
from monitor.storage.retention_jobs import note_job
from monitor.storage.store import AuditJob, StoredWindow
from monitor.storage.streams import MonitorRow

DAY = 86_400_000_000
MONITOR = "loans/test"
NOW = 1_000 * DAY
KEEPING = RetentionSettings(full_days=10, daily_days=None, findings_days=10)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://") as opened:
        yield opened


def key(day: int) -> WindowKey:
    return WindowKey(day * DAY, (day + 1) * DAY)


def write(store: Store, job: str, days: range, *, created: int = 0) -> None:
    """Write a job with one window and one finding for each day."""
    store.write_job(AuditJob(id=job, config_digest="", baseline_id="b", created_us=created * DAY))
    body = encode_counts(np.array([3, 3], dtype=np.int64))
    store.write_windows(
        job, [StoredWindow(key=key(day), n_rows=3, baseline_id="b", body=body) for day in days]
    )
    store.write_findings(
        StoredFinding(id=f"{job}{day}", job_id=job, key=key(day), finding=finding(Verdict.WITHIN))
        for day in days
    )


def finding(verdict: Verdict) -> Finding:
    return Finding(
        detector="psi",
        series="s",
        failure_mode=FailureMode.BEHAVIOURAL,
        verdict=verdict,
        effect=Estimate(0.3, 0.2, 0.4),
        departure=Estimate(2.0, 1.5, 2.5),
        tolerance=0.1,
        n_rows=3,
    )


def run_monitor(store: Store, job: str, days: range) -> None:
    write(store, job, days)
    row = MonitorRow(job_id=job, baseline_id="b", policy_digest="p", counting={})
    store.streams(MONITOR).create(row)
    note_job(store, MONITOR, job, now_us=0)


def open_incident(store: Store, job: str, day: int) -> None:
    breach = Breach(
        identity=SignalIdentity(
            system="loans",
            environment="test",
            failure_mode=FailureMode.BEHAVIOURAL,
            series="s",
            slice="all",
            baseline_id="b",
        ),
        detector="psi",
        observation=observation_of(
            finding(Verdict.BEYOND), finding_id=f"{job}{day}", window=key(day)
        ),
        suggestion=Suggestion(
            tier=Tier.SEV3,
            could_be=Tier.SEV2,
            axes=Axes(effect=1, reach=1, stakes=1, reversal=1, people=1),
            reasons=(),
            unknowns=(),
            policy="p",
        ),
        onset_us=day * DAY,
    )
    changes = apply((), [breach], recoveries=[], rules=GroupingRules(), known_us=NOW)
    store.incidents(MONITOR).apply(changes, recorded_us=NOW)


def tidy(store: Store, settings: RetentionSettings = KEEPING, **options: bool) -> RetentionReport:
    retention = Retention(store=store, settings=settings, monitor=MONITOR, now_us=NOW, **options)
    list(retention.steps())
    return retention.report


def test_a_running_monitor_is_as_old_as_its_newest_window(store: Store) -> None:
    run_monitor(store, "now", range(100, 150))

    report = tidy(store)

    assert first_full(store, "now") == compacted_until(store, "now") == 140 * DAY
    assert report.counts[Step.WINDOWS] == report.counts[Step.FINDINGS] == 40


def test_an_audit_of_old_logs_is_old_once_it_was_made_long_ago(store: Store) -> None:
    run_monitor(store, "now", range(990, 1_000))
    write(store, "fresh audit", range(100, 120), created=999)
    write(store, "old audit", range(100, 120), created=900)

    tidy(store, with_audits=True)

    assert store.count_windows("fresh audit") == 20
    assert store.count_windows("old audit") == 0


def test_a_monitor_leaves_audits_and_other_monitors_alone(store: Store) -> None:
    run_monitor(store, "now", range(990, 1_000))
    write(store, "audit", range(100, 120))
    write(store, "theirs", range(100, 120))
    note_job(store, "other/test", "theirs", now_us=0)

    tidy(store)
    alone = [store.count_windows(job) for job in ("audit", "theirs")]
    tidy(store, with_audits=True)

    assert alone == [20, 20]
    assert [store.count_windows(job) for job in ("audit", "theirs")] == [0, 20]


def test_the_former_jobs_of_a_monitor_age_too(store: Store) -> None:
    run_monitor(store, "now", range(990, 1_000))
    write(store, "before", range(900, 995))
    note_job(store, MONITOR, "before", now_us=0)

    tidy(store)

    assert first_full(store, "before") == 990 * DAY


def test_what_an_open_incident_refers_to_keeps_its_length(store: Store) -> None:
    run_monitor(store, "now", range(100, 150))
    open_incident(store, "now", 120)

    report = tidy(store)

    assert first_full(store, "now") == 120 * DAY
    assert [each.key.start_us // DAY for each in store.findings("now")] == [*range(120, 150)]
    assert "incident #1 of that time is still open" in report.kept[0]


def test_after_an_incident_its_findings_stay_and_the_rest_ages(store: Store) -> None:
    run_monitor(store, "now", range(100, 150))
    open_incident(store, "now", 120)
    repository = store.incidents(MONITOR)
    (incident,) = repository.all()
    version = incident.version + 1
    repository.save(replace(incident, state=IncidentState.CLOSED, version=version))

    tidy(store)

    assert first_full(store, "now") == 140 * DAY
    assert [each.key.start_us // DAY for each in store.findings("now")] == [120, *range(140, 150)]
    assert repository.timeline(incident.id)


def test_only_ledgers_of_audits_that_have_finished_are_dropped(store: Store) -> None:
    for job in ("finished", "interrupted"):
        write(store, job, range(100, 101))
        store.ledger(job).put("unit", n_records=1, n_rows=1, rejected={})
    store.save_states("finished", {SeriesKey("s"): SeriesState()})

    report = tidy(store, with_audits=True)

    assert report.counts[Step.UNITS] == 1
    assert store.ledger("interrupted").finished() == {"unit"}


def test_what_is_to_be_kept_forever_is(store: Store) -> None:
    run_monitor(store, "now", range(100, 150))
    forever = RetentionSettings(full_days=None, findings_days=None)

    report = tidy(store, forever)

    assert not report.counts
    assert store.count_windows("now") == 50


def upkeep(store: Store, clock: FixedClock, **options: bool) -> Upkeep:
    return Upkeep(
        store=store,
        settings=RetentionSettings(full_days=10, **options),
        monitor=MONITOR,
        clock=clock,
        monotonic=lambda: 0.0,
    )


def test_a_worker_tidies_up_once_a_day_and_says_what_it_did(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run_monitor(store, "now", range(100, 150))
    clock = FixedClock(NOW)
    work, second = upkeep(store, clock), upkeep(store, clock)

    work()
    first = store.count_windows("now")
    write(store, "now", range(150, 160))
    for worker in (work, second):
        worker()
    same_day = store.count_windows("now")
    clock.us += DAY
    second()

    assert (first, same_day, store.count_windows("now")) == (10, 20, 10)
    assert "old records are tidied up" in caplog.text


def test_a_worker_that_may_not_tidies_nothing(store: Store) -> None:
    run_monitor(store, "now", range(100, 150))

    upkeep(store, FixedClock(NOW), automatic=False)()

    assert store.count_windows("now") == 50


def test_trouble_with_the_database_does_not_end_the_worker(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    run_monitor(store, "now", range(100, 150))
    with store.writing() as connection:
        connection.exec_driver_sql("DROP TABLE compacted_window")

    upkeep(store, FixedClock(NOW))()

    assert "could not be tidied up" in caplog.text
    assert store.count_windows("now") == 50
