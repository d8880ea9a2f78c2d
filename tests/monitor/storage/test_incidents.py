from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.incidents.breaches import Breach, GroupingRules
from monitor.incidents.grouping import Changes, apply
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalIdentity, observation_of
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.storage import StorageError, Store

HOUR = 3_600_000_000


def changes(
    series: str = "psi(x)", hour: int = 0, incidents: tuple[Incident, ...] = ()
) -> Changes:
    finding = Finding(
        detector="psi",
        series=series,
        failure_mode=FailureMode.BEHAVIOURAL,
        verdict=Verdict.BEYOND,
        departure=Estimate(2.0, 1.5, float("inf")),
    )
    axes = Axes(effect=2, reach=3, stakes=2, reversal=1, people=0)
    breach = Breach(
        identity=SignalIdentity(
            system="s",
            environment="production",
            failure_mode=finding.failure_mode,
            series=series,
            slice="all",
            baseline_id="b",
        ),
        detector="psi",
        observation=observation_of(
            finding, finding_id=f"f{hour}", window=WindowKey(hour * HOUR, (hour + 1) * HOUR)
        ),
        suggestion=Suggestion(tier=Tier.SEV2, could_be=Tier.SEV1, axes=axes, policy="p 1"),
        onset_us=hour * HOUR,
    )
    return apply(incidents, [breach], rules=GroupingRules(), known_us=5)


def test_an_incident_comes_back_as_it_was_stored(store: Store) -> None:
    made = changes()

    (stored,) = store.incidents("m").apply(made, recorded_us=7)

    assert stored == replace(made.incidents[0], number=1)
    assert store.incidents("m").all() == (stored,)
    assert store.incidents("m").active() == (stored,)
    assert store.incidents("another").all() == ()


def test_storing_the_same_changes_twice_is_harmless(store: Store) -> None:
    made = changes()
    repository = store.incidents("m")

    repository.apply(made, recorded_us=7)
    repository.apply(made, recorded_us=8)

    assert len(repository.all()) == 1
    assert len(repository.timeline(made.opened[0])) == 2


def test_numbers_count_up_and_stay(store: Store) -> None:
    repository = store.incidents("m")
    repository.apply(changes("psi(x)", 0), recorded_us=1)
    repository.apply(changes("psi(y)", 9, repository.all()), recorded_us=2)
    repository.apply(changes("psi(x)", 10, repository.all()), recorded_us=3)

    assert [incident.number for incident in repository.all()] == [1, 2]
    assert [incident.version for incident in repository.all()] == [2, 1]


@pytest.mark.parametrize("length", [4, 12, 64])
def test_an_incident_is_found_by_the_beginning_of_its_id(store: Store, length: int) -> None:
    (stored,) = store.incidents("m").apply(changes(), recorded_us=1)

    assert store.incident(stored.id[:length].upper()) == stored
    assert store.incident("1") == stored


@pytest.mark.parametrize("wrong", ["", "zzzz", "99", "%"])
def test_an_id_that_names_no_incident_is_an_error(store: Store, wrong: str) -> None:
    store.incidents("m").apply(changes(), recorded_us=1)

    with pytest.raises(StorageError, match="begins with"):
        store.incident(wrong)


def test_a_change_that_crossed_another_is_refused(store: Store) -> None:
    repository = store.incidents("m")
    (stored,) = repository.apply(changes(), recorded_us=1)
    repository.save(replace(stored, state=IncidentState.OPEN, version=2))

    with pytest.raises(StorageError, match="another audit or monitor is writing"):
        repository.save(replace(stored, confirmed=Tier.SEV1, version=2))


def test_incidents_can_be_read_by_state(store: Store) -> None:
    repository = store.incidents("m")
    repository.apply(changes(), recorded_us=1)

    assert len(repository.all([IncidentState.CANDIDATE])) == 1
    assert repository.all([IncidentState.CLOSED]) == ()


def test_the_timeline_is_chained_and_whole(store: Store) -> None:
    repository = store.incidents("m")
    (stored,) = repository.apply(changes(), recorded_us=7)
    repository.apply(changes("psi(y)", 1, repository.all()), recorded_us=8)

    first, frozen, second = repository.timeline(stored.id)

    assert (first.seq, second.seq) == (1, 3)
    assert (frozen.prev, second.prev) == (first.hash, frozen.hash)
    assert (first.entry.occurred_us, first.entry.known_us, first.recorded_us) == (HOUR, 5, 7)
    assert repository.broken_links(stored.id) == ()


COLUMNS = (
    "incident_id, seq, key, kind, occurred_us, known_us, recorded_us, actor, body, prev, hash"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incident_entry SET body = '{}'",
        "DELETE FROM incident_entry",
        f"INSERT INTO incident_entry ({COLUMNS}) SELECT incident_id, 5, 'k', kind, 1, 1, 1, "
        "actor, body, prev, hash FROM incident_entry",
        f"INSERT OR REPLACE INTO incident_entry ({COLUMNS}) SELECT incident_id, seq, key, kind, "
        "1, 1, 1, actor, '{}', prev, hash FROM incident_entry",
    ],
    ids=["update", "delete", "skip a number", "replace"],
)
def test_the_database_itself_refuses_to_change_a_timeline(store: Store, statement: str) -> None:
    repository = store.incidents("m")
    (stored,) = repository.apply(changes(), recorded_us=7)
    before = repository.timeline(stored.id)
    if store.dialect == "postgresql" and "OR REPLACE" in statement:
        statement = "TRUNCATE incident_entry"

    with pytest.raises(DBAPIError, match="timeline entry"), store.writing() as connection:
        connection.execute(text(statement))

    assert repository.timeline(stored.id) == before


def test_a_change_behind_the_triggers_is_seen(store: Store) -> None:
    repository = store.incidents("m")
    (stored,) = repository.apply(changes(), recorded_us=7)
    drop = "DROP TRIGGER incident_entry_no_update"
    if store.dialect == "postgresql":
        drop = "DROP TRIGGER incident_entry_no_change ON incident_entry"
    with store.writing() as connection:
        connection.execute(text(drop))
        connection.execute(text("UPDATE incident_entry SET known_us = 1"))

    assert repository.broken_links(stored.id) == (1, 2)
