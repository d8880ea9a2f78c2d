"""Standard input, read from a real pipe."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence

import pytest

from monitor.sources.base import SourceError
from monitor.sources.live import Claimed, LiveSource
from monitor.sources.stdin import Stdin, StdinStream


class At:
    def __init__(self, position: int | None = None) -> None:
        self.position = position

    def claim(self, partitions: Mapping[str, str]) -> Mapping[str, Claimed]:
        return dict.fromkeys(partitions, Claimed(position=self.position))

    def release(self, partitions: Sequence[str]) -> None:
        raise AssertionError(partitions)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def test_lines_are_counted_on_from_the_last_run_until_the_input_ends(pipe) -> None:
    reading, writing = pipe
    stream = StdinStream(reading, At(7), max_line_bytes=1_024)
    os.write(writing, b'1\n\n"' + b"x" * 2_000 + b'"\n2\nlast')

    (batch,) = stream.poll(1.0, 1_000)
    quiet = stream.poll(0.0, 1_000)
    os.close(writing)
    (last,) = stream.poll(1.0, 1_000)
    stream.close()

    assert (batch.payloads, batch.positions, batch.too_long) == ((b"1", b"2"), (7, 9), (8,))
    assert quiet == ()
    assert (last.payloads, last.first, last.next) == ((b"last",), 10, 11)
    assert stream.ended() == stream.caught_up() == {"stdin"}


def test_a_plain_file_can_be_the_input(tmp_path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"1\n2\n")
    descriptor = os.open(path, os.O_RDONLY)
    stream = StdinStream(descriptor, At(), max_line_bytes=1_024)

    (batch,) = stream.poll(1.0, 1_000)
    assert stream.poll(0.0, 1_000) == ()
    stream.close()
    os.close(descriptor)

    assert batch.payloads == (b"1", b"2")
    assert stream.ended() == {"stdin"}


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_a_poll_that_cannot_have_records_waits_instead_of_returning_at_once(pipe, state) -> None:
    reading, writing = pipe
    waits: list[float] = []
    stream = StdinStream(reading, At(), max_line_bytes=1_024, wait=waits.append)
    if state == "paused":
        os.write(writing, b"1\n")
        stream.pause()
    os.close(writing)
    if state == "ended":
        stream.poll(1.0, 1_000)

    found = [stream.poll(0.5, 1_000) for _ in range(20)]
    stream.close()

    assert found == [()] * 20
    assert waits == [0.5] * 20


def test_what_came_during_a_pause_is_handed_on_after_it(pipe) -> None:
    reading, writing = pipe
    stream = StdinStream(reading, At(), max_line_bytes=1_024, wait=lambda _: None)
    stream.pause()
    os.write(writing, b"1\n2\n")

    paused = stream.poll(0.0, 1_000)
    stream.resume()
    (batch,) = stream.poll(1.0, 1_000)
    os.close(writing)
    stream.close()

    assert paused == ()
    assert batch.payloads == (b"1", b"2")


def test_a_paused_stream_costs_no_processor_time(pipe) -> None:
    reading, writing = pipe
    stream = StdinStream(reading, At(), max_line_bytes=1_024)
    os.write(writing, b"1\n")
    stream.pause()
    began = time.thread_time()

    for _ in range(10):
        stream.poll(0.02, 1_000)
    busy = time.thread_time() - began
    os.close(writing)
    stream.close()

    # Ten waits of 20 ms; a loop that spins would be busy for all of them.
    assert busy < 0.05


def test_standard_input_can_be_followed_but_not_planned() -> None:
    assert isinstance(Stdin(), LiveSource)
    with pytest.raises(SourceError, match=r"baseline\.reference"):
        Stdin().units()
