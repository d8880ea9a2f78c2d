"""Incidents about the monitor itself: told once, also after a restart."""

from pathlib import Path

import pytest

from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.engine.daemon.self_watch import SelfWatch
from monitor.incidents.model import SignalKind
from monitor.severity.scoring import FiveAxes
from monitor.sources.live import Notice, NoticeKind
from monitor.storage.store import Store
from tests.monitor.engine.daemon.toy import HOUR, START, baseline, configure

NOW_US = (START + 10 * HOUR) * 1_000_000
GAP = Notice(
    kind=NoticeKind.RETENTION_GAP, partition="outputs/0", first=10, end=250, detail="deleted"
)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return load_configuration(configure(tmp_path))


def watch(configuration: Configuration, store: Store, now_us: int = NOW_US) -> SelfWatch:
    return SelfWatch(
        configuration=configuration, baseline=baseline(), store=store, policy=FiveAxes(),
        clock=FixedClock(now_us), window_us=HOUR * 1_000_000,
    )  # fmt: skip


def test_lost_records_are_one_incident_of_not_seeing_however_often_they_are_told(
    configuration: Configuration,
) -> None:
    with Store.open(configuration.storage.url) as store:
        for hours in (0, 0, 1):
            watch(configuration, store, NOW_US + hours * HOUR * 1_000_000).lost(GAP)

        (incident,) = store.incidents("toy/test").all()

    (signal,) = incident.signals
    assert signal.identity.kind is SignalKind.CANNOT_SEE
    assert "positions 10 to 250" in signal.first.sentence


def test_several_partitions_that_lose_records_at_a_time_are_one_incident(
    configuration: Configuration,
) -> None:
    with Store.open(configuration.storage.url) as store:
        watch(configuration, store).lost(GAP)
        watch(configuration, store).lost(Notice(kind=GAP.kind, partition="outputs/1"))

        incidents = store.incidents("toy/test").all()

    assert len(incidents) == 1
    assert len(incidents[0].signals) == 2


def test_silence_is_told_once_and_not_again_by_the_next_process(
    configuration: Configuration,
) -> None:
    since_us = NOW_US - 6 * HOUR * 1_000_000
    with Store.open(configuration.storage.url) as store:
        first = watch(configuration, store)
        first.silent(since_us)
        first.silent(since_us)
        watch(configuration, store, NOW_US + 60_000_000).silent(NOW_US + 1)

        (incident,) = store.incidents("toy/test").all()
        timeline = store.incidents("toy/test").timeline(incident.id)

    assert "no record has come for 360 minutes" in incident.signals[0].first.sentence
    assert len({entry.entry.key for entry in timeline}) == len(timeline)
