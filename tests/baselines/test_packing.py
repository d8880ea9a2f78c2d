"""Counts survive the way to bytes and back, and take little room."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.packing import (
    BaselineFormatError,
    decode_counts,
    decode_matrix,
    encode_counts,
    encode_matrix,
)

COUNTS = st.one_of(
    st.just(0), st.integers(0, 300), st.integers(0, 2**20), st.integers(0, 2**63 - 1)
)


@given(st.lists(COUNTS, max_size=80))
def test_counts_come_back_as_they_were(numbers: list[int]) -> None:
    counts = np.array(numbers, dtype=np.int64)

    decoded = decode_counts(encode_counts(counts), len(counts))

    assert decoded.dtype == np.int64
    assert decoded.tolist() == numbers


@given(st.lists(st.lists(COUNTS, min_size=5, max_size=5), max_size=6))
def test_matrices_come_back_as_they_were(rows: list[list[int]]) -> None:
    encoded = encode_matrix([np.array(row, dtype=np.int64) for row in rows])

    decoded = decode_matrix(memoryview(encoded), (len(rows), 5))

    assert decoded.tolist() == rows


def test_a_window_of_mostly_zeros_takes_little_more_than_a_bit_a_cell() -> None:
    counts = np.zeros(5000, dtype=np.int64)
    counts[::50] = np.arange(100) + 200

    assert len(encode_counts(counts)) < 5000 / 8 + 200


def test_equal_counts_give_equal_bytes() -> None:
    counts = np.random.default_rng(1).poisson(3, 1000)

    assert encode_counts(counts) == encode_counts(counts.copy())


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="counts must not be negative, got -3"):
        encode_counts(np.array([1, -3]))


@pytest.mark.parametrize("n_cells", [0, 3, 17, 999])
def test_counts_of_another_length_are_refused(n_cells: int) -> None:
    encoded = encode_counts(np.array([1, 2, 3, 300, 5, 6, 7, 8, 9, 10]))

    with pytest.raises(BaselineFormatError, match=f"hold 10 counts, not {n_cells}"):
        decode_counts(encoded, n_cells)


def test_counts_cut_short_at_any_byte_are_refused() -> None:
    encoded = encode_counts(np.array([1, 2, 3, 300, 0, 70_000]))

    for length in range(len(encoded)):
        with pytest.raises(BaselineFormatError):
            decode_counts(encoded[:length], 6)
