"""Bodies that wait in the database until they are counted, on both databases."""

import threading
from collections.abc import Iterator

import pytest

from monitor.clock import FixedClock
from monitor.sources.inbox import Putting
from monitor.storage import Store
from monitor.storage.connection import connect
from monitor.storage.inbox import DatabaseInbox

SECOND = 1_000_000


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_000 * SECOND)


@pytest.fixture
def inbox(database_url, clock) -> Iterator[DatabaseInbox]:
    Store.open(database_url).close()
    engine = connect(database_url)
    yield DatabaseInbox(engine, "m", clock)
    engine.dispose()


def put(inbox: DatabaseInbox, key: str, body: bytes, n_records: int = 1) -> Putting:
    return inbox.put(key, body, n_records=n_records, max_waiting=10)


def test_a_key_is_kept_once_and_known_even_after_its_body_was_counted(inbox) -> None:
    first = put(inbox, "a", b"1")
    (stored,) = inbox.read_from(0, limit=10)
    inbox.counted(stored.seq + 1, keep_keys_seconds=60)

    assert first is Putting.ACCEPTED
    assert put(inbox, "a", b"1") is Putting.DUPLICATE
    assert put(inbox, "a", b"2") is Putting.CONFLICT
    assert inbox.read_from(0, limit=10) == ()


def test_keys_of_counted_bodies_are_forgotten_after_a_while_others_never(inbox, clock) -> None:
    put(inbox, "counted", b"1")
    put(inbox, "waiting", b"1")
    (first, second) = inbox.read_from(0, limit=10)

    clock.us += 61 * SECOND
    inbox.counted(second.seq, keep_keys_seconds=60)

    assert put(inbox, "waiting", b"1") is Putting.DUPLICATE
    assert put(inbox, "counted", b"2") is Putting.ACCEPTED
    assert inbox.read_from(0, limit=10)[-1].seq > second.seq > first.seq


def test_a_full_inbox_takes_no_more_until_something_was_counted(inbox) -> None:
    put(inbox, "a", b"1", n_records=10)

    full = put(inbox, "b", b"2")
    inbox.counted(inbox.read_from(0, limit=1)[0].seq + 1, keep_keys_seconds=60)

    assert full is Putting.FULL
    assert put(inbox, "b", b"2") is Putting.ACCEPTED
    assert inbox.waiting() == 1


def test_what_waits_is_known_however_bodies_come_and_go(database_url, inbox, clock) -> None:
    engine = connect(database_url)
    other = DatabaseInbox(engine, "m", clock)
    waiting: list[tuple[int, int]] = [(inbox.waiting(), other.waiting())]

    for number in range(3):
        put(other, f"a{number}", b"1", n_records=2)
        put(inbox, f"b{number}", b"1", n_records=1)
        waiting.append((inbox.waiting(), other.waiting()))
        inbox.counted(inbox.read_from(0, limit=1)[0].seq + 1, keep_keys_seconds=60)
        waiting.append((inbox.waiting(), other.waiting()))
    inbox.counted(1_000, keep_keys_seconds=60)
    waiting.append((inbox.waiting(), other.waiting()))
    put(other, "c", b"1", n_records=5)
    waiting.append((inbox.waiting(), other.waiting()))
    engine.dispose()

    assert waiting == [(n, n) for n in (0, 3, 1, 4, 3, 6, 4, 0, 5)]


def test_numbers_appear_in_their_order_however_many_write(inbox) -> None:
    seen: list[int] = []

    def write(writer: int) -> None:
        for number in range(20):
            inbox.put(f"{writer}/{number}", b"1", n_records=1, max_waiting=1_000)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    while len(seen) < 80:
        seen += [each.seq for each in inbox.read_from(seen[-1] + 1 if seen else 0, limit=7)]
        if not any(thread.is_alive() for thread in threads):
            seen += [each.seq for each in inbox.read_from(seen[-1] + 1 if seen else 0, limit=99)]
            break
    for thread in threads:
        thread.join()

    assert len(seen) == len(set(seen)) == 80
