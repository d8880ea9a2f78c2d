import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.decision.state import SeriesKey, SeriesState, State
from monitor.storage import StorageError, Store
from monitor.storage.errors import ConcurrentWriteError
from monitor.storage.findings import StoredFinding
from monitor.storage.store import AuditJob, StoredWindow
from monitor.storage.stream_tables import metadata

HOUR = 3_600_000_000


def finding(number: int, *, verdict: Verdict = Verdict.WITHIN, series: str = "s") -> StoredFinding:
    return StoredFinding(
        id=f"finding {series} {number}",
        job_id="job",
        key=WindowKey(number * HOUR, (number + 1) * HOUR),
        finding=Finding(
            detector="psi",
            series=series,
            failure_mode=FailureMode.BEHAVIOURAL,
            verdict=verdict,
            effect=Estimate(0.1, 0.05, float("inf")),
            departure=Estimate(1.0, 0.5, 2.0),
            tolerance=0.1,
            n_rows=10,
        ),
    )


def test_the_migrations_make_the_tables_of_the_program(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection)

        assert compare_metadata(context, metadata) == []


def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    with Store.open(database_url) as store, store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StorageError, match=r"revision '9999'.*does not know.*newer outputwatch"):
        Store.open(database_url)


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE customers (id INTEGER)")
    connection.close()

    with pytest.raises(StorageError, match="not ours, for example 'customers'"):
        Store.open(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("no url", "must be a URL like"),
        ("mysql://host/name", "must be SQLite or PostgreSQL, got 'mysql'"),
        ("sqlite:////no/such/folder/x.db", "cannot be opened.*check that the folder exists"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StorageError, match=sentence) as caught:
        Store.open(url)

    assert "\n" not in str(caught.value)


def test_a_server_that_does_not_answer_is_no_matter_of_folders() -> None:
    pytest.importorskip("psycopg", reason="needs the extra 'postgres'")

    with pytest.raises(StorageError, match="check that the server runs") as caught:
        Store.open("postgresql://watch@127.0.0.1:1/watch")

    assert "refused" in str(caught.value)
    assert "folder" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_is_not_repeated_in_an_error() -> None:
    with pytest.raises(StorageError) as caught:
        Store.open("postgresql//user:hunter2@host")

    assert "hunter2" not in str(caught.value)


def test_several_programs_may_create_the_same_database_at_once(database_url: str) -> None:
    failures: list[Exception] = []

    def create() -> None:
        try:
            Store.open(database_url).close()
        except StorageError as error:
            failures.append(error)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_sqlite_is_set_up_for_crashes_and_for_references(tmp_path: Path) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")

    with Store.open(f"sqlite:///{tmp_path / 'x.db'}") as store, store.reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert found == ["wal", 1, 1, 30_000]


def test_everything_in_a_transaction_is_kept_together_or_not_at_all(store: Store) -> None:
    def step() -> None:
        with store.begin():
            store.write_findings([finding(1)])
            store.save_states("m", {SeriesKey("s"): SeriesState()})
            store.ledger("job").put("u", n_records=1, n_rows=1, rejected={})
            message = "killed"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="killed"):
        step()

    assert list(store.findings("job")) == []
    assert store.states("m") == {}
    assert store.ledger("job").finished() == frozenset()


def test_a_second_thread_does_not_see_an_unfinished_transaction(store: Store) -> None:
    seen: list[int] = []

    with store.begin():
        store.write_findings([finding(1)])
        thread = threading.Thread(target=lambda: seen.append(len(list(store.findings("job")))))
        thread.start()
        thread.join()

    assert seen == [0]
    assert len(list(store.findings("job"))) == 1


def test_windows_come_back_in_order(store: Store) -> None:
    windows = [
        StoredWindow(
            key=WindowKey(hour * HOUR, (hour + 1) * HOUR, slice_, ordinal),
            n_rows=hour,
            baseline_id="b",
            body=b"\x00counts",
        )
        for hour in range(3)
        for slice_ in ("all", "region=EU")
        for ordinal in range(2)
    ]
    store.write_windows("job", reversed(windows))
    store.write_windows("job", windows)

    assert list(store.windows("job")) == windows
    assert [each.key.slice for each in store.windows("job", slice_="region=EU")] == 6 * [
        "region=EU"
    ]


def test_a_window_that_is_written_again_is_replaced(store: Store) -> None:
    for n_rows in (1, 2):
        store.write_window(
            job_id="job", key=WindowKey(0, HOUR), n_rows=n_rows, baseline_id="b", body=b"x"
        )

    (window,) = store.windows("job")

    assert window.n_rows == 2


def test_findings_survive_with_every_number(store: Store) -> None:
    findings = [finding(number, series=series) for series in ("a", "b") for number in range(300)]
    store.write_findings(findings)
    store.write_findings(findings)

    assert list(store.findings("job")) == findings


def test_findings_are_found_by_series_slice_and_verdict(store: Store) -> None:
    store.write_findings([finding(1), finding(2, verdict=Verdict.BEYOND), finding(3, series="t")])

    assert [each.id for each in store.findings("job", series="t")] == ["finding t 3"]
    assert [each.id for each in store.findings("job", verdict=Verdict.BEYOND)] == ["finding s 2"]
    assert list(store.findings("job", slice_="region=EU")) == []


def test_two_jobs_may_hold_the_same_finding_and_one_can_forget_it(store: Store) -> None:
    first = finding(1)
    second = replace(first, job_id="other")
    store.write_findings([first, second])

    store.clear_findings("job")

    assert list(store.findings("job")) == []
    assert list(store.findings("other")) == [second]


def test_findings_may_be_written_while_windows_are_read(store: Store) -> None:
    for hour in range(3):
        store.write_window(
            job_id="job", key=WindowKey(hour * HOUR, 1), n_rows=1, baseline_id="b", body=b"x"
        )

    for window in store.windows("job"):
        store.write_findings([finding(window.key.start_us // HOUR)])

    assert len(list(store.findings("job"))) == 3


def test_states_are_kept_by_monitor_and_replaced(store: Store) -> None:
    key = SeriesKey("psi(x)", "region=EU")
    firing = SeriesState(state=State.FIRING, since=WindowKey(0, HOUR), n_beyond=2)

    store.save_states("m", {key: SeriesState(), SeriesKey("other"): SeriesState()})
    store.save_states("m", {key: firing})

    assert store.states("m") == {key: firing, SeriesKey("other"): SeriesState()}
    assert store.states("another") == {}


def test_a_job_keeps_what_it_was_first_asked(store: Store) -> None:
    job = AuditJob(id="j", config_digest="c", baseline_id="b", created_us=1)

    store.write_job(job)
    store.write_job(AuditJob(id="j", config_digest="c", baseline_id="b", created_us=2))

    assert store.jobs() == (job,)


def test_a_key_that_is_taken_is_a_conflict_only_where_several_may_write_at_once(
    database_url: str, store: Store
) -> None:
    row = {"monitor": "m", "series": "s", "slice": "all", "body": "{}"}
    insert = text(
        "INSERT INTO series_state (monitor, series, slice, body) "
        "VALUES (:monitor, :series, :slice, :body)"
    )

    with Store.open(database_url) as other, other.writing() as connection:
        connection.execute(insert, row)

    fault = pytest.raises(ConcurrentWriteError if store.dialect == "postgresql" else DBAPIError)
    with fault, store.writing() as connection:
        connection.execute(insert, row)


def test_a_database_that_another_program_keeps_locked_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with Store.open(f"sqlite:///{path}") as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with store.reading() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")

        with pytest.raises(ConcurrentWriteError, match="run it again when the other has ended"):
            store.save_states("m", {SeriesKey("s"): SeriesState()})

        other.close()
