"""Files that are written to, renamed, emptied and deleted while they are followed."""

import contextlib
import gzip
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.schema import Column, Role, Schema
from monitor.decoding.base import Needs, RejectionReason
from monitor.sources.base import SourceError
from monitor.sources.files import Files
from monitor.sources.following import FilesStream
from monitor.sources.lines import LineCutter
from monitor.sources.live import Claimed, LiveSource, NoticeKind

SCHEMA = Schema(columns=(Column(name="n", role=Role.NUMERIC),))


class Positions:
    """What a database would keep of a stream: records with their positions."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.records: list[bytes] = []
        self.too_long = 0
        self.opened: list[FilesStream] = []

    def close(self) -> None:
        for stream in self.opened:
            stream.close()

    def claim(self, partitions: Mapping[str, str]) -> Mapping[str, Claimed]:
        return {name: Claimed(position=self.known.get(name)) for name in partitions}

    def release(self, partitions: Sequence[str]) -> None:
        raise AssertionError(partitions)

    def take(self, stream: FilesStream, max_records: int = 1_000) -> list[bytes]:
        """Take everything that is there, as long as something comes."""
        new: list[bytes] = []
        while batches := stream.poll(0.0, max_records):
            for batch in batches:
                assert batch.first == self.known.get(batch.partition, batch.first)
                assert batch.positions is not None
                assert len(batch.positions) == len(batch.payloads)
                assert all(batch.first <= each < batch.next for each in batch.positions)
                self.known[batch.partition] = batch.next
                self.too_long += len(batch.too_long)
                new += batch.payloads
        self.records += new
        return new


@pytest.fixture
def positions() -> Iterator[Positions]:
    with contextlib.closing(Positions()) as made:
        yield made


def follow(folder: Path, positions: Positions, pattern: str = "*", **options: Any) -> FilesStream:
    """Follow with every look finding what is new; no waiting."""
    options = {"settle_seconds": 0.0, **options}
    source = Files(paths=(str(folder / pattern),), poll_seconds=0.01, **options)
    stream = source.open(positions, worker="w")
    assert isinstance(stream, FilesStream)
    stream._settings = type(stream._settings)(
        poll_seconds=0.0, settle_seconds=options["settle_seconds"]
    )
    positions.opened.append(stream)
    return stream


def append(path: Path, *lines: str, end: str = "\n") -> None:
    with path.open("a", newline="") as file:
        file.write("".join(line + end for line in lines))


def kinds(stream: FilesStream) -> list[NoticeKind]:
    return [notice.kind for notice in stream.notices()]


def test_files_are_a_live_source() -> None:
    assert isinstance(Files(paths=("x",)), LiveSource)


def test_a_line_is_handed_on_once_its_newline_has_come(tmp_path, positions) -> None:
    log = tmp_path / "app.jsonl"
    append(log, "1")
    append(log, "2", end="")
    stream = follow(tmp_path, positions)

    first = positions.take(stream)
    append(log, "3", "4")
    second = positions.take(stream)

    assert (first, second) == ([b"1"], [b"23", b"4"])


def test_a_renamed_file_is_read_to_its_end_and_no_line_twice(tmp_path, positions) -> None:
    log, old = tmp_path / "app.jsonl", tmp_path / "app.jsonl.1"
    append(log, "1")
    stream = follow(tmp_path, positions)
    positions.take(stream)

    append(log, "2")
    append(log, "last", end="")
    log.rename(old)
    append(log, "3")
    taken = positions.take(stream)

    assert sorted(taken) == [b"2", b"3", b"last"]
    assert len(stream.ended()) == 1
    assert stream.ended() < stream.caught_up()


def test_a_renamed_file_that_no_pattern_matches_is_read_to_its_end(tmp_path, positions) -> None:
    log = tmp_path / "app.jsonl"
    append(log, "1")
    stream = follow(tmp_path, positions, "app.jsonl")
    positions.take(stream)

    append(log, "2")
    log.rename(tmp_path / "elsewhere")
    append(log, "3")

    assert sorted(positions.take(stream)) == [b"2", b"3"]


def test_a_deleted_file_is_read_to_its_end(tmp_path, positions) -> None:
    log = tmp_path / "app.jsonl"
    append(log, "1")
    stream = follow(tmp_path, positions)
    positions.take(stream)

    append(log, "2")
    log.unlink()

    assert positions.take(stream) == [b"2"]
    assert stream.ended() == positions.known.keys()


def test_a_restart_goes_on_where_it_stopped_even_under_another_name(tmp_path, positions) -> None:
    log = tmp_path / "app.jsonl"
    append(log, "1", "2")
    before = follow(tmp_path, positions)
    positions.take(before)
    before.close()

    append(log, "3")
    log.rename(tmp_path / "app.jsonl.1")
    append(log, "4")
    taken = positions.take(follow(tmp_path, positions))

    assert sorted(taken) == [b"3", b"4"]


@pytest.mark.parametrize("first_line", ["1", "another"])
def test_an_emptied_file_is_told_and_read_from_its_beginning(
    tmp_path, positions, first_line
) -> None:
    log = tmp_path / "app.jsonl"
    append(log, "1", "2", "3")
    stream = follow(tmp_path, positions)
    positions.take(stream)
    positions.known.clear()

    os.truncate(log, 0)
    positions.take(stream)
    append(log, first_line, "5")

    assert positions.take(stream) == [first_line.encode(), b"5"]
    assert kinds(stream) == [NoticeKind.TRUNCATED]


def test_a_file_emptied_while_nobody_looked_is_told_after_the_restart(tmp_path, positions) -> None:
    log = tmp_path / "app.jsonl"
    append(log, "1", "2", "3")
    positions.take(follow(tmp_path, positions))
    os.truncate(log, 0)
    append(log, "1", "5")
    stream = follow(tmp_path, positions)

    batches = stream.poll(0.0, 100)

    assert [batch.payloads for batch in batches] == [(b"1", b"5")]
    assert kinds(stream) == [NoticeKind.TRUNCATED]


def test_new_files_and_folders_are_found(tmp_path, positions) -> None:
    stream = follow(tmp_path, positions, "")
    assert positions.take(stream) == []

    (tmp_path / "day").mkdir()
    append(tmp_path / "day" / "b.jsonl", "1")

    assert positions.take(stream) == [b"1"]


def test_two_files_with_the_same_lines_are_two_partitions(tmp_path, positions) -> None:
    append(tmp_path / "a.jsonl", "1")
    append(tmp_path / "b.jsonl", "1")

    assert positions.take(follow(tmp_path, positions)) == [b"1", b"1"]
    assert len(positions.known) == 2


def test_a_line_that_is_too_long_is_counted_not_handed_on(tmp_path, positions) -> None:
    log = tmp_path / "app.jsonl"
    stream = follow(tmp_path, positions, max_line_bytes=1_024)
    append(log, "1", "x" * 5_000, end="")
    positions.take(stream)
    append(log, "x" * 500_000)
    append(log, "y" * 1_024, "z" * 1_025, "2")

    taken = positions.take(stream)

    assert taken[-1] == b"2"
    assert positions.too_long == 2
    assert max(map(len, taken)) == 1_024


def test_no_more_than_the_limit_of_a_long_line_is_held() -> None:
    cutter = LineCutter(0, max_line_bytes=100)

    for _ in range(1_000):
        cutter.feed(b"x" * 60)
    lines = cutter.feed(b"\n1\n")

    assert (lines.payloads, lines.positions, lines.too_long) == ((b"1",), (60_001,), (0,))


@contextlib.contextmanager
def nobody_special() -> Iterator[None]:
    """Give up for a while that the superuser may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_file_that_cannot_be_read_is_told_once(positions) -> None:
    # Not below pytest's own folders: only their owner may look into these.
    folder = TemporaryDirectory(prefix="outputwatch-")
    tmp_path = Path(folder.name)
    tmp_path.chmod(0o755)
    log = tmp_path / "app.jsonl"
    append(log, "1")
    log.chmod(0)
    with nobody_special():
        stream = follow(tmp_path, positions)

        assert positions.take(stream) == []
        assert positions.take(stream) == []
        assert kinds(stream) == [NoticeKind.UNREACHABLE]
    folder.cleanup()


def test_what_is_not_followed_is_told(tmp_path, positions) -> None:
    append(tmp_path / "a.csv", "n", "1")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"1\n"))
    stream = follow(tmp_path, positions)

    assert positions.take(stream) == []
    assert kinds(stream) == [NoticeKind.NOT_FOLLOWED] * 2
    with pytest.raises(SourceError, match="only JSON Lines"):
        follow(tmp_path, positions, format="csv")


def test_a_compressed_file_is_read_once_and_from_where_it_was_left(tmp_path, positions) -> None:
    lines = [str(number).encode() for number in range(5_000)]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines)))
    first = follow(tmp_path, positions, follow_compressed=True)
    for batch in first.poll(0.0, 10):
        positions.known[batch.partition] = batch.next
        positions.records += batch.payloads
    assert 0 < len(positions.records) < 5_000

    stream = follow(tmp_path, positions, follow_compressed=True)
    positions.take(stream)

    assert positions.records == lines
    assert stream.ended() == positions.known.keys()
    assert positions.take(stream) == []


def test_a_damaged_compressed_file_is_read_up_to_the_damage_and_told(tmp_path, positions) -> None:
    text = "".join(f"{number}\n" for number in range(50_000)).encode()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text)[:-2_000])
    stream = follow(tmp_path, positions, follow_compressed=True)

    taken = positions.take(stream)

    assert 0 < len(taken) < 50_000
    assert taken == text.split(b"\n")[: len(taken)]
    assert kinds(stream) == [NoticeKind.UNREADABLE_BATCH]


def test_nothing_comes_while_the_stream_is_paused(tmp_path, positions) -> None:
    append(tmp_path / "a.jsonl", "1")
    stream = follow(tmp_path, positions)

    stream.pause()
    during = positions.take(stream)
    stream.resume()

    assert (during, positions.take(stream)) == ([], [b"1"])


LINE = st.one_of(
    st.integers(0, 99).map(lambda number: json.dumps({"n": number}).encode()),
    st.sampled_from(
        [b"", b"  ", b"not JSON", b"\xff", b"null", b'{"n": "' + b"x" * 1_100 + b'"}']
    ),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(LINE, max_size=30), st.booleans(), st.booleans(), st.data())
def test_following_and_auditing_find_the_same_records(
    tmp_path_factory, lines, has_mark, is_whole, data
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    text = (
        (b"\xef\xbb\xbf" if has_mark else b"") + b"\n".join(lines) + (b"\n" if is_whole else b"")
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    log, positions = folder / "app.jsonl", Positions()
    with contextlib.closing(positions):
        stream = follow(folder, positions, max_line_bytes=1_024)
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            with log.open("ab") as file:
                file.write(text[start:end])
            action = data.draw(st.sampled_from(["take", "wait", "kill"]))
            if action != "wait":
                positions.take(stream, max_records=data.draw(st.sampled_from([1, 1_000])))
            if action == "kill":
                stream = follow(folder, positions, max_line_bytes=1_024)
        stream.finish()
        positions.take(stream)

    audited = Files(paths=(str(log),), max_line_bytes=1_024)
    blocks = [block for unit in audited.units() for block in audited.read(unit, SCHEMA, Needs())]

    too_long = sum(block.rejected.get(RejectionReason.LINE_TOO_LONG, 0) for block in blocks)
    assert positions.too_long == too_long
    assert len(positions.records) == sum(block.n_records for block in blocks) - too_long
