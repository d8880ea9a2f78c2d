"""Incidents that an older program wrote are found by their signals after the upgrade."""

import json
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine, text

from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.engine.daemon.self_watch import SelfWatch
from monitor.incidents.model import Incident
from monitor.incidents.records import to_record
from monitor.severity.scoring import FiveAxes
from monitor.sources.live import Notice, NoticeKind
from monitor.storage.store import Store
from monitor.storage.upgrade import _config
from tests.monitor.engine.daemon.toy import HOUR, START, baseline, configure

INSERT = """
INSERT INTO incident (id, monitor, number, state, failure_mode, tier, could_be, first_us,
                      last_us, version, body)
VALUES (:id, 'toy/test', 1, 'candidate', 'behavioural', 'SEV4', 'SEV4', 0, 1, :version, :body)
"""


def incident_of_two_signals(configuration: Configuration) -> Incident:
    with Store.open("sqlite://") as store:
        watch = SelfWatch(
            configuration=configuration, baseline=baseline(), store=store, policy=FiveAxes(),
            clock=FixedClock(START * 1_000_000), window_us=HOUR * 1_000_000,
        )  # fmt: skip
        for partition in ("outputs/0", "outputs/1"):
            watch.lost(Notice(kind=NoticeKind.RETENTION_GAP, partition=partition, first=1, end=5))
        (incident,) = store.incidents("toy/test").all()
        return incident


def test_incidents_from_before_the_table_of_signals_are_found_by_every_signal(
    tmp_path: Path,
) -> None:
    incident = incident_of_two_signals(load_configuration(configure(tmp_path)))
    url = f"sqlite:///{tmp_path}/old.db"
    config, engine = _config(), create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        body = json.dumps(to_record(incident))
        row = {"id": incident.id, "version": incident.version, "body": body}
        connection.execute(text(INSERT), row)
    engine.dispose()

    with Store.open(url) as store:
        repository = store.incidents("toy/test")
        found = [repository.holding([signal.fingerprint]) for signal in incident.signals]

    assert found == [(incident,), (incident,)]
