"""Paths into records."""

import pyarrow as pa
import pytest

from monitor.decoding.arrow_records import ArrowRecords
from monitor.decoding.paths import look_up, parse_path


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "[0]", "a[x]", "a[0", "a]"])
def test_a_path_of_another_form_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="keys joined by dots"):
        parse_path(path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("list[1].x", 3),
        ("list[7].x", None),
        ("a.b.c", None),
        ("nothing", None),
        (r"dotted\.key", 4),
    ],
)
def test_a_path_leads_to_its_value_or_nowhere(path: str, value: object) -> None:
    record = {"a": {"b": 1}, "list": [{"x": 2}, {"x": 3}], "dotted.key": 4}

    assert look_up(record, parse_path(path)) == value
    array = ArrowRecords(pa.Table.from_pylist([record])).array(path)
    assert (None if array is None else array.to_pylist()[0]) == value


def test_a_column_named_like_the_whole_path_comes_first() -> None:
    table = pa.table({"a.b": [1], "a": [{"b": 2}]})

    array = ArrowRecords(table).array("a.b")

    assert array is not None
    assert array.to_pylist() == [1]


def test_elements_of_lists_with_nulls_are_missing() -> None:
    table = pa.table({"a": pa.array([[1, 2], None, [], [3]])}).slice(1)

    array = ArrowRecords(table).array("a[0]")

    assert array is not None
    assert array.to_pylist() == [None, None, 3]


def test_a_flat_name_that_is_no_path_is_simply_absent_from_a_table() -> None:
    assert ArrowRecords(pa.table({"b]": [1]})).array("b]") is not None
    assert ArrowRecords(pa.table({"x": [1]})).array("b]") is None
