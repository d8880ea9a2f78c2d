"""A notice waits until one sender has delivered it, on both databases."""

import threading

import pytest

from monitor.storage import Store
from monitor.storage.errors import StorageError
from monitor.storage.outbox import NewNotice, OutboxRepository, OutboxRow, OutboxState

SECOND = 1_000_000
NOW = 1_000 * SECOND


def new(id_: str, incident: str = "i", channel: str = "c") -> NewNotice:
    return NewNotice(
        id=id_ * 64, incident_id=incident * 64, kind="opened", channel=channel, body={"a": id_}
    )


def lease(outbox: OutboxRepository, now_us: int = NOW, channel: str = "c") -> OutboxRow | None:
    return outbox.lease(channel, now_us=now_us, until_us=now_us + 60 * SECOND)


@pytest.fixture
def outbox(store: Store) -> OutboxRepository:
    return OutboxRepository(store, "m")


def test_what_is_written_twice_is_there_once(outbox: OutboxRepository) -> None:
    outbox.put([new("1")], now_us=NOW)
    outbox.put([new("1")], now_us=NOW + 5)

    (row,) = outbox.rows()
    assert (row.state, row.attempts, row.created_us, row.body) == (
        OutboxState.WAITING, 0, NOW, {"a": "1"},
    )  # fmt: skip


def test_notices_of_an_incident_leave_in_order_and_one_at_a_time(outbox: OutboxRepository) -> None:
    outbox.put([new("2"), new("1"), new("3", incident="j")], now_us=NOW)

    first, other, none = lease(outbox), lease(outbox), lease(outbox)

    assert first is not None
    assert other is not None
    assert (first.id[0], other.id[0], none) == ("2", "3", None)
    assert outbox.sent(first, sent_us=NOW, provider_id="p")
    second = lease(outbox)
    assert second is not None
    assert second.id[0] == "1"


def test_a_channel_does_not_wait_for_another(outbox: OutboxRepository) -> None:
    outbox.put([new("1"), new("2", channel="d")], now_us=NOW)

    assert lease(outbox) is not None
    assert lease(outbox, channel="d") is not None


def test_a_failed_notice_is_due_later_and_holds_what_follows(outbox: OutboxRepository) -> None:
    outbox.put([new("1"), new("2")], now_us=NOW)
    row = lease(outbox)
    assert row is not None

    assert outbox.failed(row, "away", due_us=NOW + 10 * SECOND)

    assert lease(outbox, NOW + 9 * SECOND) is None
    again = lease(outbox, NOW + 10 * SECOND)
    assert again is not None
    assert (again.id, again.attempts, again.last_error) == (row.id, 2, "away")


def test_a_notice_that_was_given_up_lets_others_pass(outbox: OutboxRepository) -> None:
    outbox.put([new("1"), new("2")], now_us=NOW)
    row = lease(outbox)
    assert row is not None
    outbox.give_up(row, "refused")

    following = lease(outbox)

    assert following is not None
    assert following.id[0] == "2"
    assert outbox.counts()[OutboxState.DEAD] == 1


def test_a_sender_that_was_killed_leaves_its_notice_to_another(outbox: OutboxRepository) -> None:
    outbox.put([new("1")], now_us=NOW)
    killed = lease(outbox)
    assert killed is not None

    assert lease(outbox, NOW + 59 * SECOND) is None
    other = lease(outbox, NOW + 60 * SECOND)

    assert other is not None
    assert other.id == killed.id
    # One that was only slow has no say any more, but what it delivered is delivered.
    assert not outbox.failed(killed, "slow", due_us=NOW)
    assert not outbox.give_up(killed, "slow")
    assert outbox.sent(killed, sent_us=NOW, provider_id=None)
    assert not outbox.sent(other, sent_us=NOW, provider_id=None)


def test_of_many_senders_at_once_one_gets_a_notice(outbox: OutboxRepository) -> None:
    outbox.put([new(str(n), incident=str(n)) for n in range(8)], now_us=NOW)
    taken: list[str] = []

    def work() -> None:
        while (row := lease(outbox)) is not None:
            taken.append(row.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken))
    # One that met a locked row may stop before the others do; nothing is lost by that.
    while (row := lease(outbox)) is not None:
        taken.append(row.id)
    assert sorted(each[0] for each in taken) == list("01234567")


def test_dead_notices_are_tried_anew_or_dropped(outbox: OutboxRepository) -> None:
    outbox.put([new("1"), new("2", incident="j")], now_us=NOW)
    for _ in range(2):
        row = lease(outbox)
        assert row is not None
        outbox.give_up(row, "refused")

    assert outbox.retry(["1" * 64], now_us=NOW) == 1
    assert outbox.drop(["2" * 64], now_us=NOW) == 1

    (row,) = outbox.rows()
    assert (row.id, row.state, row.attempts) == ("1" * 64, OutboxState.WAITING, 0)


def test_what_was_sent_is_neither_tried_again_nor_dropped(outbox: OutboxRepository) -> None:
    outbox.put([new("1")], now_us=NOW)
    row = lease(outbox)
    assert row is not None
    outbox.sent(row, sent_us=NOW, provider_id=None)

    assert outbox.retry([row.id], now_us=NOW) == 0
    assert outbox.drop([row.id], now_us=NOW) == 0
    assert outbox.find("111").sent_us == NOW


def test_an_outbox_is_that_of_one_monitor(outbox: OutboxRepository, store: Store) -> None:
    outbox.put([new("1")], now_us=NOW)

    other = OutboxRepository(store, "another")

    assert lease(other) is None
    assert other.rows() == ()
    with pytest.raises(StorageError, match="outbox list"):
        other.find("1")
