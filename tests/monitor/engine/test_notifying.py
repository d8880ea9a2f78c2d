"""What an incident brings is told in the same transaction, once, to whom it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.config.notifying import NotifierSettings
from monitor.engine.notifying import incident_shelf
from monitor.incidents.breaches import Breach, GroupingRules, Recovery
from monitor.incidents.grouping import Changes, apply
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalIdentity, observation_of
from monitor.incidents.records import from_record
from monitor.incidents.silences import Silence
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.incidents.timeline import EntryKind, TimelineEntry
from monitor.notifiers.base import Channel, Receipt, Sending
from monitor.notifiers.notice import Notice
from monitor.storage.outbox import OutboxRepository
from monitor.storage.store import Store

HOUR = 3_600_000_000
NOW = 1_000 * HOUR
CONFIGURATION = load_configuration(
    Path(__file__).parents[1] / "config/testdata/smallest.good.yaml", environment={}
)
MONITOR = "m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper(Channel):
    """Takes everything and delivers nothing: these tests only look at what is written."""

    name: ClassVar[str] = "paper"

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        del notice, sending
        return Receipt()


def breach(
    hour: int = 0,
    *,
    series: str = "psi(x)",
    tier: Tier = Tier.SEV3,
    floor: Tier | None = None,
    mode: FailureMode = FailureMode.BEHAVIOURAL,
) -> Breach:
    finding = Finding(
        detector="psi",
        series=series,
        failure_mode=mode,
        verdict=Verdict.BEYOND,
        departure=Estimate(2.0, 1.5, 3.0),
        n_rows=100,
        sentence=f"{series} moved",
    )
    window = WindowKey(hour * HOUR, (hour + 1) * HOUR)
    return Breach(
        identity=SignalIdentity(
            system="loans",
            environment="test",
            failure_mode=mode,
            series=series,
            slice="all",
            baseline_id="b",
        ),
        detector="psi",
        observation=observation_of(finding, finding_id=f"{series}@{hour}", window=window),
        suggestion=Suggestion(
            tier=tier,
            could_be=Tier.SEV1,
            axes=Axes(effect=2, reach=2, stakes=2, reversal=2, people=1),
            policy="five_axes 1",
            floor=floor,
        ),
        onset_us=hour * HOUR,
    )


def configured(*channels: Channel) -> Configuration:
    settings = NotifierSettings(channels=channels, base_url="https://watch.example.org/")
    return replace(CONFIGURATION, notifiers=settings)


class Monitor:
    """A monitor's incidents and its outbox, in a database of its own."""

    def __init__(self, store: Store, *channels: Channel) -> None:
        self.store = store
        self.incidents = store.incidents(MONITOR)
        self.outbox = OutboxRepository(store, MONITOR)
        self.shelf = incident_shelf(store, configured(*channels), MONITOR)

    def see(self, *breaches: Breach, recoveries: Sequence[Recovery] = ()) -> Changes:
        changes = apply(
            self.incidents.all(),
            breaches,
            recoveries=recoveries,
            rules=GroupingRules(),
            known_us=NOW,
        )
        self.shelf.apply(changes, recorded_us=NOW)
        return changes

    def act(self, incident: Incident, kind: EntryKind) -> None:
        entry = TimelineEntry(kind=kind, occurred_us=NOW, known_us=NOW, actor="ada")
        changed = replace(incident, version=incident.version + 1)
        changes = Changes(incidents=(changed,), entries={incident.id: (entry,)})
        self.shelf.apply(changes, recorded_us=NOW)

    def told(self) -> list[tuple[str, str]]:
        return [(row.channel, row.kind) for row in self.outbox.rows()]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'monitor.db'}")


def recovery(hour: int) -> Recovery:
    return Recovery(
        fingerprint=breach().identity.fingerprint,
        window=WindowKey(hour * HOUR, (hour + 1) * HOUR),
    )


def test_opening_getting_worse_and_a_proposal_are_told_in_order(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"))

    monitor.see(breach(0))
    monitor.see(breach(1, tier=Tier.SEV2))
    monitor.see(recoveries=[recovery(2)])

    assert monitor.told() == [
        ("all", "opened"), ("all", "suggestion_raised"), ("all", "resolution_proposed"),
    ]  # fmt: skip


def test_twelve_signals_of_one_scan_are_one_notice(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"))

    monitor.see(*(breach(0, series=f"psi(x{n})") for n in range(12)))

    assert monitor.told() == [("all", "opened")]


def test_a_window_that_changes_nothing_tells_nothing(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"))
    monitor.see(breach(0))

    monitor.see(breach(1))

    assert monitor.told() == [("all", "opened")]


def test_what_is_done_twice_is_told_once(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"))
    changes = monitor.see(breach(0))

    monitor.shelf.apply(changes, recorded_us=NOW + HOUR)

    assert monitor.told() == [("all", "opened")]


def test_incident_and_notice_are_kept_together_or_not_at_all(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"))

    told: list[tuple[str, str]] = []

    def interrupted() -> None:
        with store.begin():
            monitor.see(breach(0))
            told.extend(monitor.told())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert told == [("all", "opened")]
    assert monitor.told() == []
    assert monitor.incidents.all() == ()


def test_a_notice_holds_the_head_of_the_timeline_and_a_link(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"))
    monitor.see(breach(0))

    (row,) = monitor.outbox.rows()
    notice = from_record(Notice, row.body)

    (incident,) = monitor.incidents.all()
    last = monitor.incidents.timeline(incident.id)[-1]
    assert (notice.seq, notice.head) == (last.seq, last.hash)
    assert notice.url == f"https://watch.example.org/incidents/{incident.id}"
    assert (notice.tier, notice.could_be, notice.number) == (Tier.SEV3, Tier.SEV1, 1)


def test_channels_take_what_is_severe_enough_and_of_their_kind(store: Store) -> None:
    channels = (
        Paper(channel="grave", min_tier=Tier.SEV2),
        Paper(channel="bias", failure_modes=(FailureMode.BIAS,)),
        Paper(channel="all"),
    )
    monitor = Monitor(store, *channels)

    monitor.see(breach(0))
    monitor.see(breach(1, tier=Tier.SEV2))
    monitor.see(breach(100, series="gap(y)", mode=FailureMode.BIAS))

    assert sorted(monitor.told()) == [
        ("all", "opened"), ("all", "opened"), ("all", "suggestion_raised"),
        ("bias", "opened"), ("grave", "suggestion_raised"),
    ]  # fmt: skip


def test_what_ends_is_told_where_it_was_told_that_it_began(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"), Paper(channel="grave", min_tier=Tier.SEV1))
    monitor.see(breach(0))
    (incident,) = monitor.incidents.all()

    monitor.act(incident, EntryKind.ACKNOWLEDGED)
    monitor.act(monitor.incidents.find("1"), EntryKind.RESOLVED)

    assert monitor.told() == [("all", "opened"), ("all", "acknowledged"), ("all", "finished")]


def test_it_is_known_where_it_was_told_when_the_outbox_was_tidied_up(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"))
    monitor.see(breach(0))
    (incident,) = monitor.incidents.all()
    monitor.outbox.drop([row.id for row in monitor.outbox.rows()], now_us=NOW)
    told = TimelineEntry(
        kind=EntryKind.NOTIFIED, occurred_us=NOW, known_us=NOW, body={"channel": "all"}
    )
    monitor.incidents.append(incident.id, [told], recorded_us=NOW)

    monitor.act(incident, EntryKind.RESOLVED)

    assert monitor.told() == [("all", "finished")]


def test_practice_is_told_only_where_that_is_asked_for(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"), Paper(channel="practice", drill=True))
    changes = apply((), [breach(0)], rules=GroupingRules(), known_us=NOW)
    drill = replace(changes.incidents[0], drill=True)

    monitor.shelf.apply(replace(changes, incidents=(drill,)), recorded_us=NOW)
    monitor.act(monitor.incidents.find("1"), EntryKind.RESOLVED)

    assert monitor.told() == [("practice", "opened"), ("practice", "finished")]


@pytest.mark.parametrize("floor", [None, Tier.SEV2])
def test_a_silence_holds_notices_back_but_for_those_of_a_floor(
    store: Store, floor: Tier | None
) -> None:
    monitor = Monitor(store, Paper(channel="all"))
    silence = Silence(
        id="s", owner="ada", role="on_call", reason="known", from_us=0, until_us=2 * NOW,
        series="psi*", created_us=0,
    )  # fmt: skip
    monitor.incidents.silences().save(silence)

    monitor.see(breach(0, floor=floor))

    assert monitor.told() == ([] if floor is None else [("all", "opened")])
    assert len(monitor.incidents.all()) == 1


def test_without_channels_nothing_is_written(store: Store) -> None:
    monitor = Monitor(store)

    monitor.see(breach(0))

    assert monitor.told() == []


def rollback_entry(kind: EntryKind, *, actor: str = "monitor", **body: object) -> TimelineEntry:
    told = {"rollback": "r", "plan": "scorer back", **body}
    return TimelineEntry(kind=kind, occurred_us=NOW, known_us=NOW, actor=actor, body=told)


def noted(monitor: Monitor, entry: TimelineEntry) -> list[tuple[str, str, str]]:
    """Return channel, kind and note of what an entry adds to the outbox."""
    before = {row.id for row in monitor.outbox.rows()}
    (incident,) = monitor.incidents.all()
    monitor.shelf.apply(Changes(entries={incident.id: (entry,)}), recorded_us=NOW)
    rows = [row for row in monitor.outbox.rows() if row.id not in before]
    return [(row.channel, row.kind, from_record(Notice, row.body).note) for row in rows]


def test_who_goes_ahead_alone_is_told_to_everybody_whatever_they_take(store: Store) -> None:
    grave = Paper(channel="grave", min_tier=Tier.SEV1, failure_modes=(FailureMode.SAFETY,))
    monitor = Monitor(store, grave)
    monitor.see(breach(0, tier=Tier.SEV4))
    silence = Silence(
        id="s", owner="ada", role="on_call", reason="known", from_us=0, until_us=2 * NOW,
        created_us=0,
    )  # fmt: skip
    monitor.incidents.silences().save(silence)

    told = noted(
        monitor, rollback_entry(EntryKind.ROLLBACK_APPROVED, actor="eve", step="break_glass")
    )

    assert told == [
        ("grave", "break_glass", "eve carries out 'scorer back' without a second person")
    ]


def test_what_one_person_did_alone_ends_with_its_review_or_with_the_incident(
    store: Store,
) -> None:
    monitor = Monitor(store, Paper(channel="all"))
    monitor.see(breach(0))

    def alone(kind: EntryKind, rollback: str, step: str) -> tuple[str, ...]:
        entry = rollback_entry(kind, actor="eve", rollback=rollback, step=step)
        noted(monitor, entry)
        return from_record(Notice, monitor.outbox.rows()[-1].body).alone

    first = alone(EntryKind.ROLLBACK_APPROVED, "r1", "break_glass")
    second = alone(EntryKind.ROLLBACK_APPROVED, "r2", "break_glass")
    reviewed = alone(EntryKind.ROLLBACK_STEP, "r1", "reviewed")
    finished = alone(EntryKind.RESOLVED, "", "")

    assert (first, second, reviewed, finished) == (("r1",), ("r2",), ("r1",), ("r2",))
    assert [row.kind for row in monitor.outbox.rows()][1:] == [
        "break_glass",
        "break_glass",
        "break_glass_reviewed",
        "finished",
    ]


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (rollback_entry(EntryKind.ROLLBACK_FAILED, explanation="not served"), "rollback_failed"),
        (rollback_entry(EntryKind.ROLLBACK_ABORTED, reason="not served"), "rollback_failed"),
        (
            rollback_entry(EntryKind.ROLLBACK_REFUSED, step="ended", explanation="not served"),
            "rollback_failed",
        ),
        (rollback_entry(EntryKind.ROLLBACK_VERIFIED, explanation="not served"), "rolled_back"),
    ],
)
def test_what_came_of_a_rollback_is_told(store: Store, entry: TimelineEntry, kind: str) -> None:
    monitor = Monitor(store, Paper(channel="all"))
    monitor.see(breach(0))

    assert noted(monitor, entry) == [("all", kind, "rollback 'scorer back': not served")]


def test_steps_of_a_rollback_and_what_a_person_gives_up_are_told_to_nobody(store: Store) -> None:
    monitor = Monitor(store, Paper(channel="all"))
    monitor.see(breach(0))

    told = [
        noted(monitor, entry)
        for entry in (
            rollback_entry(EntryKind.ROLLBACK_APPROVED, actor="ada", step="approved"),
            rollback_entry(EntryKind.ROLLBACK_REFUSED, step="refused"),
            rollback_entry(EntryKind.ROLLBACK_ABORTED, actor="ada"),
            rollback_entry(EntryKind.ROLLBACK_STEP, step="started"),
        )
    ]

    assert told == [[], [], [], []]
