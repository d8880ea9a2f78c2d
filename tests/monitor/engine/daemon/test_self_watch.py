"""Incidents about the monitor itself: told once, also after a restart."""

from dataclasses import replace
from pathlib import Path

import pytest

from baselines.baseline import Baseline
from baselines.summary import WindowKey
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.engine.daemon.self_watch import SelfWatch
from monitor.engine.daemon.telling import TelemetryObserver, vocabulary
from monitor.incidents.acts.moving import Move
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalKind
from monitor.incidents.roles import RefusedActError
from monitor.incidents.states import IncidentState
from monitor.incidents.summary import summarize
from monitor.incidents.timeline import EntryKind
from monitor.severity.scoring import FiveAxes
from monitor.sources.live import Notice, NoticeKind
from monitor.storage.store import Store
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Metrics
from tests.monitor.engine.daemon.toy import HOUR, START, baseline, configure

NOW_US = (START + 10 * HOUR) * 1_000_000
GAP = Notice(
    kind=NoticeKind.RETENTION_GAP, partition="outputs/0", first=10, end=250, detail="deleted"
)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return load_configuration(configure(tmp_path))


def watch(
    configuration: Configuration,
    store: Store,
    now_us: int = NOW_US,
    compared_with: Baseline | None = None,
) -> SelfWatch:
    return SelfWatch(
        configuration=configuration, baseline=compared_with or baseline(), store=store,
        policy=FiveAxes(), clock=FixedClock(now_us), window_us=HOUR * 1_000_000,
    )  # fmt: skip


def at(hours: float) -> int:
    return NOW_US + int(hours * HOUR * 1_000_000)


def kinds(store: Store, incident: Incident) -> list[EntryKind]:
    return [each.entry.kind for each in store.incidents("toy/test").timeline(incident.id)]


def test_a_loss_says_what_was_lost_and_is_told_once_however_often_it_is_reported(
    configuration: Configuration,
) -> None:
    with Store.open(configuration.storage.url) as store:
        for hours in (0, 0, 1):
            watch(configuration, store, at(hours)).lost(GAP)

        (incident,) = store.incidents("toy/test").all()
        text = summarize(incident, store.incidents("toy/test").timeline(incident.id))

    (signal,) = incident.signals
    assert signal.identity.kind is SignalKind.LOST
    assert "positions 10 to 249, 240 at most (deleted)" in signal.first.sentence
    assert incident.title == "Behavioural: lost records of outputs/0"
    assert text.signals[0].state == "lost"
    assert text.how_sure.startswith("a fact")
    assert "audit the stretch" in text.do_first[0]


def test_every_loss_of_a_partition_stays_in_the_timeline(configuration: Configuration) -> None:
    with Store.open(configuration.storage.url) as store:
        for hours, first in ((0, 10), (0.5, 500), (1, 900)):
            watch(configuration, store, at(hours)).lost(replace(GAP, first=first, end=first + 50))

        (incident,) = store.incidents("toy/test").all()
        timeline = store.incidents("toy/test").timeline(incident.id)

    told = " ".join(str(each.entry.body) for each in timeline)
    assert incident.signals[0].n_windows == 3
    assert all(stretch in told for stretch in ("10 to 59", "500 to 549", "900 to 949"))


def test_nothing_proposes_to_resolve_a_loss_and_a_person_is_told_why(
    configuration: Configuration,
) -> None:
    resolve = Move(to=IncidentState.RESOLVED)
    with Store.open(configuration.storage.url) as store:
        watch(configuration, store).lost(GAP)
        watch(configuration, store, at(3)).heard(at(3))

        (incident,) = store.incidents("toy/test").all()

    assert incident.resolution_proposed is None
    with pytest.raises(RefusedActError, match="what was lost does not come back"):
        resolve._evidence(incident)
    assert replace(resolve, without_evidence=True)._evidence(incident)


def test_several_partitions_that_lose_records_at_a_time_are_one_incident(
    configuration: Configuration,
) -> None:
    with Store.open(configuration.storage.url) as store:
        watch(configuration, store).lost(GAP)
        watch(configuration, store).lost(Notice(kind=GAP.kind, partition="outputs/1"))
        watch(configuration, store).silent(at(-6))

        lost, silent = store.incidents("toy/test").all()[::-1]

    assert len(lost.signals) == 2
    assert {signal.identity.series for signal in silent.signals} == {"heartbeat"}


def test_silence_is_one_incident_also_for_the_next_process_and_grows_while_it_lasts(
    configuration: Configuration,
) -> None:
    with Store.open(configuration.storage.url) as store:
        first = watch(configuration, store)
        first.silent(at(-6))
        first.silent(at(-6))
        watch(configuration, store, at(30)).silent(at(0.1))

        (incident,) = store.incidents("toy/test").all()
        timeline = store.incidents("toy/test").timeline(incident.id)

    (signal,) = incident.signals
    assert "no record has come for 360 minutes" in signal.first.sentence
    assert signal.n_windows == 2
    assert EntryKind.SUGGESTION_RAISED in {each.entry.kind for each in timeline}
    assert len({entry.entry.key for entry in timeline}) == len(timeline)


def test_the_first_record_after_a_silence_proposes_to_resolve_it_and_people_do(
    configuration: Configuration,
) -> None:
    other = replace(baseline(), history=())
    with Store.open(configuration.storage.url) as store:
        watch(configuration, store).silent(at(-6))

        watch(configuration, store, at(0.2), other).heard(at(0.1))

        (incident,) = store.incidents("toy/test").all()
        told = kinds(store, incident)
        assert incident.state is IncidentState.CANDIDATE
        assert incident.resolution_proposed == WindowKey(at(0.1), at(0.2))
        assert told[-2:] == [EntryKind.SIGNAL_RECOVERED, EntryKind.RESOLUTION_PROPOSED]


def test_a_silence_that_begins_again_takes_the_proposal_back(
    configuration: Configuration,
) -> None:
    with Store.open(configuration.storage.url) as store:
        one = watch(configuration, store)
        one.silent(at(-6))
        one.heard(at(0.1))
        watch(configuration, store, at(0.5)).silent(at(0.1))

        (incident,) = store.incidents("toy/test").all()
        told = kinds(store, incident)

    assert incident.resolution_proposed is None
    assert told[-2:] == [EntryKind.RESOLUTION_WITHDRAWN, EntryKind.SIGNAL_RECURRED]


def test_without_an_incident_a_record_writes_nothing(configuration: Configuration) -> None:
    with Store.open(configuration.storage.url) as store:
        watch(configuration, store).heard(NOW_US)

        assert store.incidents("toy/test").all() == ()


@pytest.mark.parametrize(("n_records", "proposed"), [(0, False), (1, True)])
def test_only_a_record_refutes_a_silence_not_a_worker_that_begins_or_claims(
    configuration: Configuration, n_records: int, proposed: bool
) -> None:
    with Store.open(configuration.storage.url) as store:
        watch(configuration, store).silent(at(-6))
        clock = FixedClock(at(1))
        observer = TelemetryObserver(
            metrics=Metrics(vocabulary(), version="0"), health=Health(stalled_after_seconds=60),
            self_watch=watch(configuration, store, clock.us), heartbeat=None, clock=clock,
            store=store, monitor="toy/test",
        )  # fmt: skip

        observer.polled(n_records)

        (incident,) = store.incidents("toy/test").all()
    assert (incident.resolution_proposed is not None) is proposed
