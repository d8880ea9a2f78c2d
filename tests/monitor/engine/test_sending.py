"""Notices are delivered at least once, with one key, in order; what cannot be is given up."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from monitor.clock import FixedClock
from monitor.config.notifying import NotifierSettings
from monitor.engine.sending import Outcome, Sender
from monitor.incidents.awareness import AwarenessKind, awareness
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, broken_links
from monitor.notifiers.base import Channel, DeliveryError, Receipt, RefusedError, Sending
from monitor.notifiers.notice import Notice
from monitor.storage.outbox import NewNotice, OutboxRepository, OutboxState
from monitor.storage.store import Store
from tests.monitor.engine.test_notifying import MONITOR, NOW, Monitor, breach

SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder(Channel):
    """A channel of another distribution: it keeps what it is given, and fails as it is told."""

    name: ClassVar[str] = "recorder"
    got: list[tuple[str, Sending]] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    repeat_seconds: float = 60.0
    refreshed: list[str] = field(default_factory=list)

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        self.got.append((notice.kind.value, sending))
        if self.failures:
            raise self.failures.pop(0)
        return Receipt(provider_id=f"p{len(self.got)}")

    def refresh(self, notice: Notice, sending: Sending) -> None:
        del sending
        self.refreshed.append(notice.incident_id)


@dataclass(slots=True)
class Later:
    """A clock that is moved by hand."""

    us: int = NOW

    def now_us(self) -> int:
        return self.us


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'monitor.db'}")


def sender(store: Store, clock: Any = None, **settings: Any) -> Sender:
    return Sender(
        store=store,
        monitor=MONITOR,
        settings=NotifierSettings(**settings),
        clock=clock or FixedClock(NOW),
        jitter=lambda: 1.0,
    )


def opened(store: Store, *channels: Channel) -> Monitor:
    monitor = Monitor(store, *channels)
    monitor.see(breach(0))
    return monitor


def test_what_was_delivered_stands_in_the_timeline_and_is_the_first_delivery(
    store: Store,
) -> None:
    channel = Recorder(channel="all")
    monitor = opened(store, channel)

    outcomes = [sender(store, FixedClock(NOW + 5)).send_next(channel) for _ in range(2)]

    (incident,) = monitor.incidents.all()
    timeline = monitor.incidents.timeline(incident.id)
    entry = timeline[-1].entry
    assert outcomes == [Outcome.SENT, Outcome.NOTHING_DUE]
    assert entry.kind is EntryKind.NOTIFIED
    assert (entry.body["channel"], entry.body["provider"]) == ("all", "recorder")
    assert (entry.body["provider_id"], entry.body["notice_kind"]) == ("p1", "opened")
    assert broken_links(timeline) == ()
    times = {each.kind: each.from_us for each in awareness(timeline)}
    assert times[AwarenessKind.FIRST_DELIVERED] == NOW + 5
    (row,) = monitor.outbox.rows()
    assert (row.state, row.provider_id, row.sent_us) == (OutboxState.SENT, "p1", NOW + 5)


def test_what_follows_is_given_the_first_answer_of_the_provider(store: Store) -> None:
    channel = Recorder(channel="all")
    monitor = opened(store, channel)
    sender(store).send_next(channel)
    monitor.see(breach(1, tier=Tier.SEV1))

    sender(store).send_next(channel)

    assert [(kind, sent.thread) for kind, sent in channel.got] == [
        ("opened", None), ("suggestion_raised", "p1"),
    ]  # fmt: skip


def test_waits_double_up_to_the_longest_and_less_than_a_provider_asks_for_is_not_waited(
    store: Store,
) -> None:
    failures: list[BaseException] = [DeliveryError("away") for _ in range(4)]
    failures.append(DeliveryError("busy", retry_after_seconds=500))
    channel = Recorder(channel="all", failures=failures)
    monitor = opened(store, channel)
    clock = Later()
    waits = []

    for _ in range(5):
        before = clock.us
        sender(store, clock, first_retry_seconds=10, max_retry_seconds=60).send_next(channel)
        clock.us = monitor.outbox.rows()[0].due_us
        waits.append((clock.us - before) / SECOND)

    assert waits == [10, 20, 40, 60, 500]


def test_jitter_takes_up_to_a_half_of_the_wait(store: Store) -> None:
    channel = Recorder(channel="all", failures=[DeliveryError("away")])
    monitor = opened(store, channel)
    made = sender(store, first_retry_seconds=10)
    made.jitter = lambda: 0.0

    made.send_next(channel)

    assert monitor.outbox.rows()[0].due_us == NOW + 5 * SECOND


@pytest.mark.parametrize(
    ("failure", "attempts"), [(RefusedError("no such key"), 1), (DeliveryError("away"), 3)]
)
def test_a_notice_is_given_up_when_refused_or_after_all_attempts(
    store: Store, failure: Exception, attempts: int
) -> None:
    channel = Recorder(channel="all", failures=[failure] * 3)
    monitor = opened(store, channel)
    clock = Later()

    outcome = Outcome.FAILED
    while outcome is Outcome.FAILED:
        outcome = sender(store, clock, max_attempts=3).send_next(channel)
        clock.us += 3_600 * SECOND

    (row,) = monitor.outbox.rows()
    (incident,) = monitor.incidents.all()
    entry = monitor.incidents.timeline(incident.id)[-1].entry
    assert (outcome, len(channel.got)) == (Outcome.DEAD, attempts)
    assert (row.state, row.last_error) == (OutboxState.DEAD, str(failure))
    assert entry.kind is EntryKind.NOTIFICATION_FAILED
    assert entry.body["attempts"] == attempts
    # What a provider says does not get into what cannot be taken back.
    assert str(failure) not in str(entry.body)


def test_one_that_fails_in_its_own_way_is_tried_again(store: Store) -> None:
    channel = Recorder(channel="all", failures=[KeyError("what")])
    monitor = opened(store, channel)

    outcome = sender(store).send_next(channel)

    assert outcome is Outcome.FAILED
    assert monitor.outbox.rows()[0].last_error == "the notifier 'recorder' failed with KeyError"


class Killed(BaseException):
    """Ends a sender as a kill does: nothing of it runs any more."""


def test_killed_between_sending_and_noting_it_is_sent_again_with_the_same_key(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Recorder(channel="all")
    monitor = opened(store, channel)

    def die(*_: Any, **__: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(OutboxRepository, "sent", die)
        with pytest.raises(Killed):
            sender(store).send_next(channel)
    soon = sender(store, FixedClock(NOW + SECOND)).send_next(channel)
    later = sender(store, FixedClock(NOW + 600 * SECOND)).send_next(channel)

    (row,) = monitor.outbox.rows()
    assert (soon, later) == (Outcome.NOTHING_DUE, Outcome.SENT)
    assert [sent.key for _, sent in channel.got] == [row.id, row.id]
    (incident,) = monitor.incidents.all()
    kinds = [each.entry.kind for each in monitor.incidents.timeline(incident.id)]
    assert kinds.count(EntryKind.NOTIFIED) == 1


def test_a_notice_that_kills_its_sender_every_time_is_given_up(store: Store) -> None:
    channel = Recorder(channel="all", failures=[Killed() for _ in range(2)])
    monitor = opened(store, channel)
    clock = Later()

    for _ in range(2):
        with pytest.raises(Killed):
            sender(store, clock, max_attempts=3).send_next(channel)
        clock.us += 600 * SECOND
    channel.failures.append(DeliveryError("away"))
    outcome = sender(store, clock, max_attempts=3).send_next(channel)

    assert outcome is Outcome.DEAD
    assert monitor.outbox.rows()[0].attempts == 3


def test_active_incidents_that_were_told_are_told_again_to_channels_that_forget(
    store: Store,
) -> None:
    channel = Recorder(channel="all")
    monitor = opened(store, channel)
    made = sender(store)

    before = made.refresh(channel)
    made.send_next(channel)
    after = made.refresh(channel)
    (incident,) = monitor.incidents.all()
    monitor.act(incident, EntryKind.RESOLVED)
    made.send_next(channel)
    finished = made.refresh(channel)

    assert (before, after, finished) == (0, 1, 0)
    assert channel.refreshed == [incident.id]


def test_two_channels_of_one_incident_keep_one_unbroken_timeline(store: Store) -> None:
    channels = [Recorder(channel=name) for name in ("a", "b", "c")]
    monitor = opened(store, *channels)

    for channel in channels:
        sender(store).send_next(channel)

    (incident,) = monitor.incidents.all()
    timeline = monitor.incidents.timeline(incident.id)
    told = [e.entry.body["channel"] for e in timeline if e.entry.kind is EntryKind.NOTIFIED]
    assert told == ["a", "b", "c"]
    assert broken_links(timeline) == ()


def test_a_notice_of_another_release_is_given_up_with_a_reason(store: Store) -> None:
    channel = Recorder(channel="all")
    monitor = opened(store, channel)
    (row,) = monitor.outbox.rows()
    monitor.outbox.drop([row.id], now_us=NOW)
    assert row.incident_id is not None
    old = NewNotice(
        id=row.id, incident_id=row.incident_id, kind="opened", channel="all", body={"old": 1}
    )
    monitor.outbox.put([old], now_us=NOW)

    assert sender(store).send_next(channel) is Outcome.DEAD
    assert channel.got == []
