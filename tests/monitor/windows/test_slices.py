"""Slices of traffic."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Columns
from monitor.windows.slices import keep_largest, largest, slicing_of


def rows(**fields: list[str | None]) -> Columns:
    n_rows = len(next(iter(fields.values())))
    return Columns(
        n_rows=n_rows,
        time_us=np.zeros(n_rows, dtype=np.int64),
        fields={name: Categories.from_values(values) for name, values in fields.items()},
    )


def test_without_columns_every_row_is_in_the_slice_all() -> None:
    slicing = slicing_of(rows(region=["EU", "US"]), ())

    assert slicing.labels == ("all",)
    assert slicing.codes.tolist() == [0, 0]


def test_each_row_is_in_the_slice_that_its_values_name() -> None:
    columns = rows(region=["EU", "US", None, "EU"], language=["de", "en", "en", "de"])

    slicing = slicing_of(columns, ("region", "language"))

    named = [slicing.labels[code] for code in slicing.codes]
    assert named == [
        "region=EU,language=de",
        "region=US,language=en",
        "region=(missing),language=en",
        "region=EU,language=de",
    ]


def test_commas_and_equals_signs_in_values_cannot_name_another_slice() -> None:
    columns = rows(a=["x,b=y", "x"], b=["z", "y,b=z"])

    slicing = slicing_of(columns, ("a", "b"))

    assert len(set(slicing.labels)) == 2
    assert slicing.labels[slicing.codes[0]] == "a=x%2Cb%3Dy,b=z"


def test_values_that_read_like_missing_or_other_are_slices_of_their_own() -> None:
    columns = rows(region=["(missing)", None, "(other values)"])

    slicing = slicing_of(columns, ("region",))

    assert sorted(slicing.labels) == [
        "region=%28missing)",
        "region=%28other values)",
        "region=(missing)",
    ]


def test_control_characters_of_a_value_do_not_reach_a_terminal() -> None:
    slicing = slicing_of(rows(region=["\x1b[2J", "a\nb"]), ("region",))

    assert sorted(slicing.labels) == ["region=%1B[2J", "region=a%0Ab"]


def test_a_column_that_is_absent_is_one_slice_of_missing_values() -> None:
    slicing = slicing_of(rows(region=["EU"]), ("country",))

    assert slicing.labels == ("country=(missing)",)


def test_ties_for_the_last_place_go_to_the_label_that_sorts_first() -> None:
    sizes = {"all": 9, "region=b": 3, "region=a": 3, "region=c": 5}

    assert largest(sizes, 2) == {"all", "region=c", "region=a"}


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 100), min_size=1),
    st.integers(1, 5),
)
def test_no_row_is_lost_when_small_slices_are_gathered(sizes: dict[str, int], cap: int) -> None:
    slices = {f"region={name}": np.array([n, 2 * n]) for name, n in sizes.items()}

    kept = keep_largest(slices, cap)

    assert len(kept) <= cap + 1
    assert np.array_equal(sum(kept.values()), sum(slices.values()))
    assert list(kept) == sorted(kept)
