"""Pieces of a log put together again."""

import numpy as np
import pytest

from baselines.columns import Categories, Columns, Numbers, concatenate


def values_of(field: Categories) -> list[str | None]:
    return [None if code < 0 else field.levels[code] for code in field.codes.tolist()]


def piece(n_rows: int, **fields: Numbers | Categories) -> Columns:
    return Columns(n_rows=n_rows, time_us=np.arange(n_rows), fields=fields)


def test_categories_with_other_levels_keep_their_values() -> None:
    first = piece(3, topic=Categories.from_values(["b", None, "a"]))
    second = piece(2, topic=Categories.from_values(["c", "b"]))

    together = concatenate([first, second])

    field = together.fields["topic"]
    assert isinstance(field, Categories)
    assert values_of(field) == ["b", None, "a", "c", "b"]
    assert field.levels == ("a", "b", "c")


def test_a_field_that_a_piece_lacks_is_missing_there() -> None:
    first = piece(1, x=Numbers(np.array([1.5])))
    second = piece(2, topic=Categories.from_values(["c", "b"]))

    together = concatenate([first, second])

    x, topic = together.fields["x"], together.fields["topic"]
    assert isinstance(x, Numbers)
    assert isinstance(topic, Categories)
    assert x.missing is not None
    assert x.missing.tolist() == [False, True, True]
    assert x.values[0] == 1.5
    assert values_of(topic) == [None, "c", "b"]


def test_a_piece_without_weights_counts_each_row_once() -> None:
    weighted = Columns(n_rows=1, time_us=np.array([5]), weights=np.array([4]))

    together = concatenate([piece(2), weighted])

    assert together.weights is not None
    assert together.weights.tolist() == [1, 1, 4]
    assert together.time_us.tolist() == [0, 1, 5]


def test_nothing_put_together_is_no_rows() -> None:
    assert concatenate([]).n_rows == 0


def test_a_field_of_two_kinds_is_refused_by_name() -> None:
    first = piece(1, x=Numbers(np.array([1.5])))
    second = piece(1, x=Categories.from_values(["c"]))

    with pytest.raises(TypeError, match="column 'x' must be numeric in every piece or in none"):
        concatenate([first, second])


def test_compact_keeps_the_values_and_drops_the_levels_that_no_row_has() -> None:
    field = Categories(np.array([2, -1, 0], dtype=np.int32), ("z", "unused", "a"))

    compact = field.compact()

    assert values_of(compact) == values_of(field)
    assert compact.levels == ("a", "z")
