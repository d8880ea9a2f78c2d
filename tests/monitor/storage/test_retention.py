"""What is dropped when it is old, and what never is."""

from dataclasses import replace

from sqlalchemy import func, select

from baselines.summary import WindowKey
from detectors.base import FailureMode, Finding, Verdict
from monitor.clock import FixedClock
from monitor.decision.state import SeriesKey, SeriesState
from monitor.sources.inbox import inbox_names
from monitor.storage import Store
from monitor.storage.findings import StoredFinding
from monitor.storage.inbox import DatabaseInbox
from monitor.storage.retention import (
    ROWS_AT_ONCE,
    drop_findings,
    drop_inbox_keys,
    drop_ledger,
    drop_letters,
    drop_sent,
    is_finished,
)
from monitor.storage.retention_jobs import claim_upkeep, jobs_of_monitors, note_job
from monitor.storage.store import AuditJob
from monitor.storage.stream_tables import inbox, outbox
from monitor.storage.streams import Letter, MonitorRow

HOUR = 3_600_000_000
JOB = AuditJob(id="job", config_digest="c", baseline_id="b", created_us=0)


def finding(number: int, *, verdict: Verdict = Verdict.WITHIN, series: str = "s") -> StoredFinding:
    return StoredFinding(
        id=f"{series}{number}",
        job_id="job",
        key=WindowKey(number * HOUR, (number + 1) * HOUR),
        finding=Finding(
            detector="psi",
            series=series,
            failure_mode=FailureMode.BEHAVIOURAL,
            verdict=verdict,
            tolerance=0.1,
            n_rows=10,
        ),
    )


def left(store: Store) -> set[str]:
    return {each.id for each in store.findings("job")}


def test_findings_beyond_tolerance_and_newer_ones_stay(store: Store) -> None:
    store.write_findings([finding(0), finding(1, verdict=Verdict.BEYOND), finding(2), finding(3)])

    dropped = sum(drop_findings(store, "job", 3 * HOUR))

    assert dropped == 2
    assert left(store) == {"s1", "s3"}


def test_findings_that_incidents_refer_to_stay(store: Store) -> None:
    store.write_findings([finding(0, verdict=Verdict.INSUFFICIENT_DATA), finding(1)])

    list(drop_findings(store, "job", 9 * HOUR, kept_ids=frozenset({"s0"})))

    assert left(store) == {"s0"}


def test_findings_of_a_series_with_an_open_incident_stay_from_its_onset_on(store: Store) -> None:
    store.write_findings([finding(n, series=name) for n in range(4) for name in ("s", "t")])

    list(drop_findings(store, "job", 4 * HOUR, kept_from={SeriesKey("s"): 2 * HOUR}))

    assert left(store) == {"s2", "s3"}


def test_many_findings_take_many_transactions(store: Store) -> None:
    store.write_findings(finding(number) for number in range(2 * ROWS_AT_ONCE + 7))

    steps = list(drop_findings(store, "job", 10**6 * HOUR))

    assert steps == [ROWS_AT_ONCE, ROWS_AT_ONCE, 7]
    assert left(store) == set()


def test_a_trial_run_counts_what_would_be_dropped(store: Store) -> None:
    store.write_findings([finding(0), finding(1)])

    assert list(drop_findings(store, "job", 1 * HOUR, dry_run=True)) == [1]
    assert left(store) == {"s0", "s1"}


def test_an_audit_whose_ledger_is_dropped_reads_its_files_again(store: Store) -> None:
    ledger = store.ledger("job")
    for unit in ("a", "b"):
        ledger.put(unit, n_records=1, n_rows=1, rejected={}, partials=[("all", 0, HOUR, b"x")])

    assert list(drop_ledger(store, JOB, dry_run=True)) == [2]
    assert list(drop_ledger(store, JOB)) == [2]
    assert ledger.finished() == frozenset()
    assert list(ledger.merged()) == []
    assert list(drop_ledger(store, JOB)) == []


def test_an_audit_is_finished_once_the_states_of_its_series_are_written(store: Store) -> None:
    before = is_finished(store, "job")
    store.save_states("job", {SeriesKey("s"): SeriesState()})

    assert (before, is_finished(store, "job")) == (False, True)


def test_letters_of_one_monitor_are_dropped_by_the_time_they_were_recorded(store: Store) -> None:
    letter = Letter(partition="p", position=0, reason="invalid_json", recorded_us=0, body={})
    letters = [replace(letter, position=n, recorded_us=n) for n in range(4)]
    for name in ("m", "other"):
        store.streams(name).add_letters(letters, limit=10)

    assert list(drop_letters(store, "m", 3)) == [3]
    assert [each.position for each in store.streams("m").letters()] == [3]
    assert len(store.streams("other").letters()) == 4


def test_a_body_that_is_not_counted_keeps_its_key(store: Store) -> None:
    clock = FixedClock(0)
    box = DatabaseInbox(store._engine, "m", clock)
    for key in ("counted", "waits"):
        box.put(key, b"{}", n_records=1, max_waiting=10)
    with store.writing() as connection:
        connection.execute(inbox.update().where(inbox.c.key == "counted").values(body=None))

    assert list(drop_inbox_keys(store, "m", 1)) == [1]
    with store.reading() as connection:
        assert connection.scalars(select(inbox.c.key)).all() == ["waits"]


def test_keys_of_both_parts_of_a_monitor_that_joins_are_dropped_too(store: Store) -> None:
    names = (*inbox_names("m"), "other", "m2/labels/")
    for name in names:
        box = DatabaseInbox(store._engine, name, FixedClock(0))
        box.put("counted", b"{}", n_records=1, max_waiting=10)
        box.put("waits", b"{}", n_records=1, max_waiting=10)
    with store.writing() as connection:
        connection.execute(inbox.update().where(inbox.c.key == "counted").values(body=None))

    would, did = (sum(drop_inbox_keys(store, "m", 1, dry_run=dry)) for dry in (True, False))

    assert would == did == 3
    with store.reading() as connection:
        left = connection.execute(select(inbox.c.monitor, inbox.c.key)).all()
    assert {row.monitor for row in left if row.key == "counted"} == {"other", "m2/labels/"}
    assert {row.monitor for row in left if row.key == "waits"} == set(names)


def test_only_notifications_that_were_sent_are_dropped(store: Store) -> None:
    row = {
        "monitor": "m",
        "kind": "opened",
        "channel": "c",
        "body": {},
        "created_us": 0,
        "state": "x",
        "attempts": 1,
        "due_us": 0,
    }
    with store.writing() as connection:
        for id_, sent_us in (("sent", 5), ("new", 50), ("waits", None)):
            connection.execute(outbox.insert().values(**row, id=id_, sent_us=sent_us))

    assert list(drop_sent(store, "m", 10)) == [1]
    with store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(outbox)) == 2


def test_one_worker_a_day_tidies_up(store: Store) -> None:
    row = MonitorRow(job_id="job", baseline_id="b", policy_digest="p", counting={})
    store.streams("m").create(row)

    turns = [claim_upkeep(store, "m", now_us=now, every_us=24) for now in (0, 1, 23, 24, 25)]

    assert turns == [True, False, False, True, False]


def test_a_monitor_knows_the_jobs_it_had(store: Store) -> None:
    row = MonitorRow(job_id="new", baseline_id="b", policy_digest="p", counting={})
    store.streams("m").create(row)
    for job in ("old", "new"):
        note_job(store, "m", job, now_us=1)

    assert jobs_of_monitors(store) == {"m": {"old": False, "new": True}}


def test_the_verdict_beyond_is_the_only_one_kept(store: Store) -> None:
    store.write_findings([finding(n, verdict=verdict) for n, verdict in enumerate(Verdict)])

    list(drop_findings(store, "job", 100 * HOUR))

    assert {each.finding.verdict for each in store.findings("job")} == {Verdict.BEYOND}
