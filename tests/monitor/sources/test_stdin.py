"""Standard input, read from a real pipe."""

import os
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
    assert stream.poll(1.0, 1_000) == ()
    stream.close()
    os.close(descriptor)

    assert batch.payloads == (b"1", b"2")
    assert stream.ended() == {"stdin"}


def test_standard_input_can_be_followed_but_not_planned() -> None:
    assert isinstance(Stdin(), LiveSource)
    with pytest.raises(SourceError, match=r"baseline\.reference"):
        Stdin().units()
