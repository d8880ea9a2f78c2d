"""The sample depends on which rows there are, and on nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Columns, concatenate
from baselines.sampling import BottomK, sample_key

MakeRows = Callable[[int, int], Columns]


def content(columns: Columns) -> list[tuple[object, ...]]:
    """Return every row's values, in order, whatever the encoding of categories."""
    rows: list[list[object]] = [[time] for time in columns.time_us.tolist()]
    for name in sorted(columns.fields):
        field = columns.fields[name]
        if isinstance(field, Categories):
            cells = [None if c < 0 else field.levels[c] for c in field.codes.tolist()]
        else:
            missing = np.zeros(len(field), bool) if field.missing is None else field.missing
            values = zip(field.values.tolist(), missing.tolist(), strict=True)
            cells = [None if absent else repr(value) for value, absent in values]
        for row, cell in zip(rows, cells, strict=True):
            row.append(cell)
    return [tuple(row) for row in rows]


def sampled(k: int, *pieces: Columns) -> BottomK:
    sample = BottomK(k)
    for piece in pieces:
        sample.add(piece)
    return sample


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(1, 250), st.integers(0, 200), st.integers(0, 200))
def test_any_split_and_any_order_give_the_same_sample(
    make_rows: MakeRows, seed: int, k: int, first: int, second: int
) -> None:
    rows = make_rows(seed, 200)
    shuffled = rows.take(np.random.default_rng(seed).permutation(200))
    low, high = sorted((first, second))
    pieces = [shuffled.take(np.arange(a, b)) for a, b in ((0, low), (low, high), (high, 200))]

    parts = sampled(k, pieces[2])
    parts.merge(sampled(k, pieces[0], pieces[1]))

    assert content(parts.sample()) == content(sampled(k, rows).sample())
    assert parts.sample().n_rows == min(k, 200)


def test_the_rows_kept_are_those_with_the_smallest_keys(make_rows: MakeRows) -> None:
    rows = make_rows(1, 100)
    assert rows.event_ids is not None

    sample = sampled(10, rows).sample()

    assert sample.event_ids is not None
    assert sample.event_ids.tolist() == sorted(rows.event_ids.tolist(), key=sample_key)[:10]


@pytest.mark.parametrize("k", [1, 5])
def test_an_event_seen_twice_is_one_row_and_the_choice_does_not_depend_on_order(k: int) -> None:
    def event(topic: str) -> Columns:
        return Columns(
            n_rows=1,
            time_us=np.array([7]),
            fields={"topic": Categories.from_values([topic])},
            event_ids=np.array(["same id"], dtype=object),
        )

    one, other = sampled(k, event("a"), event("b")), sampled(k, event("b"), event("a"))

    assert one.sample().n_rows == 1
    assert content(one.sample()) == content(other.sample())


def test_a_long_log_leaves_no_more_rows_than_asked_for_and_no_unused_levels() -> None:
    sample = BottomK(20)
    for start in range(0, 4000, 100):
        names = [f"user {number}" for number in range(start, start + 100)]
        ids = np.array(names, dtype=object)
        fields = {"user": Categories.from_values(names)}
        sample.add(Columns(n_rows=100, time_us=np.zeros(100, int), fields=fields, event_ids=ids))

    kept = sample.sample()

    assert kept.n_rows == 20
    assert isinstance(kept.fields["user"], Categories)
    assert len(kept.fields["user"].levels) == 20


def test_the_key_of_an_id_never_changes() -> None:
    assert sample_key("event-1") == 0x1D4103BFFB51791D
    assert sample_key("\ud800") != sample_key("")


def test_rows_without_ids_and_samples_of_other_sizes_are_refused(make_rows: MakeRows) -> None:
    anonymous = Columns(n_rows=1, time_us=np.array([0]))

    with pytest.raises(ValueError, match="rows must have event ids"):
        BottomK(3).add(anonymous)
    with pytest.raises(ValueError, match="different sizes cannot be merged: 3 and 4"):
        BottomK(3).merge(BottomK(4))
    with pytest.raises(ValueError, match="at least one row, got k = 0"):
        BottomK(0)


def test_pieces_of_a_sample_fit_together_with_concatenate(make_rows: MakeRows) -> None:
    rows = make_rows(4, 60)
    halves = [rows.take(np.arange(30)), rows.take(np.arange(30, 60))]

    assert content(concatenate(halves)) == content(rows)
