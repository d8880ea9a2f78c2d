"""A schema finds its columns by name without being any other schema for it."""

import copy
import dataclasses
import pickle

import pytest

from baselines.schema import Column, Role, Schema

COLUMNS = tuple(Column(name=f"c{number}", role=Role.NUMERIC) for number in range(50))


def test_every_column_is_found_by_its_name_and_no_other() -> None:
    schema = Schema(columns=COLUMNS)

    assert [schema[column.name] for column in COLUMNS] == list(COLUMNS)
    assert all(column.name in schema for column in COLUMNS)
    assert "c50" not in schema
    assert 7 not in schema
    with pytest.raises(KeyError, match="c50"):
        schema["c50"]


def test_a_schema_that_was_asked_is_the_same_as_one_that_was_not() -> None:
    asked, fresh = Schema(columns=COLUMNS), Schema(columns=COLUMNS)

    assert "c1" in asked

    assert (asked, hash(asked), repr(asked)) == (fresh, hash(fresh), repr(fresh))
    assert pickle.dumps(asked) == pickle.dumps(fresh)
    assert dataclasses.asdict(asked) == dataclasses.asdict(fresh)


@pytest.mark.parametrize(
    "copied",
    [
        lambda schema: pickle.loads(pickle.dumps(schema)),
        copy.deepcopy,
        lambda schema: dataclasses.replace(schema, name="other"),
    ],
)
def test_a_copy_finds_its_columns_too(copied) -> None:
    schema = Schema(columns=COLUMNS)
    assert "c1" in schema

    found = copied(schema)

    assert found["c1"] == schema["c1"]
    assert "c50" not in found


def test_a_copy_with_other_columns_finds_those() -> None:
    schema = Schema(columns=COLUMNS)
    assert "c1" in schema

    shorter = dataclasses.replace(schema, columns=COLUMNS[2:])

    assert "c1" not in shorter
    assert shorter["c2"] == COLUMNS[2]


def test_names_that_are_given_twice_are_all_named() -> None:
    with pytest.raises(ValueError, match=r"\['c1', 'c3'\] more than once"):
        Schema(columns=(*COLUMNS, COLUMNS[3], COLUMNS[1]))
