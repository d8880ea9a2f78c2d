"""Windows that an older program stored are whole, and stay as they are, after the upgrade."""

from alembic import command
from sqlalchemy import create_engine, text

from baselines.summary import WindowKey
from monitor.storage.compaction import Resolution, compacted_windows
from monitor.storage.store import Store, StoredWindow
from monitor.storage.upgrade import _config

WINDOW = """
INSERT INTO window_summary (job_id, start_us, slice, ordinal, end_us, n_rows, baseline_id, body)
VALUES ('job', 10, 'all', 0, 20, 3, 'b', :body)
"""
DAY = """
INSERT INTO compacted_window (job_id, resolution, start_us, slice, end_us, n_windows, n_rows,
                              baseline_id, body)
VALUES ('job', 'day', 0, 'all', 10, 24, 3, 'b', :body)
"""


def test_windows_from_before_the_mark_are_not_marked(database_url: str) -> None:
    config, engine = _config(), create_engine(database_url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        for statement in (WINDOW, DAY):
            connection.execute(text(statement), {"body": b"counts"})
    engine.dispose()

    with Store.open(database_url) as store:
        windows = list(store.windows("job"))
        (day,) = compacted_windows(store, "job")

    assert windows == [
        StoredWindow(key=WindowKey(10, 20), n_rows=3, baseline_id="b", body=b"counts")
    ]
    assert (day.resolution, day.n_windows, day.n_cut_short) == (Resolution.DAY, 24, 0)
