from dataclasses import dataclass
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from baselines.layout import AxisNeed
from baselines.schema import Column, Role, Schema
from detectors.options import (
    CheckOption,
    ColumnOption,
    CommonOptions,
    GroupName,
    GroupOption,
    column_options,
    column_problems,
    group_columns,
    group_label,
    group_need,
)

SCHEMA = Schema(
    name="loans",
    columns=(
        Column(name="income", role=Role.NUMERIC),
        Column(name="purpose", role=Role.CATEGORY),
        Column(name="sex", role=Role.GROUP),
        Column(name="age_band", role=Role.GROUP),
        Column(name="prompt", role=Role.TEXT),
        Column(name="repaid", role=Role.LABEL),
    ),
)
CHECKED = Schema(
    columns=(*SCHEMA.columns, Column(name="safety", role=Role.SAFETY_CHECK)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(CommonOptions):
    """Has one option of every kind."""

    anything: Annotated[str | None, ColumnOption()] = None
    number: Annotated[str | None, ColumnOption(kind="numeric")] = None
    label: Annotated[str | None, ColumnOption(roles=frozenset({Role.LABEL}))] = None
    several: Annotated[tuple[str, ...] | None, ColumnOption(kind="category", many=True)] = None
    group: Annotated[GroupName | None, GroupOption()] = None
    check: Annotated[str | None, CheckOption(parts=3)] = None


def test_marks_are_found_in_the_order_of_the_fields() -> None:
    names = ["anything", "number", "label", "several", "group", "check"]

    assert list(column_options(Example)) == names


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"anything": "income"},
        {"anything": "purpose"},
        {"number": "income"},
        {"label": "repaid"},
        {"several": ("purpose", "sex")},
        {"group": "sex"},
        {"group": ("sex", "age_band")},
    ],
)
def test_columns_that_fit_give_no_problem(options) -> None:
    assert column_problems(Example(**options), SCHEMA) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"anything": "incom"}, "unknown column 'incom'; did you mean 'income'?"),
        ({"label": "zzz"}, "unknown column 'zzz'; columns that fit: repaid"),
        (
            {"anything": "prompt"},
            "column 'prompt' must be numeric or a category, got role 'text'",
        ),
        ({"number": "purpose"}, "column 'purpose' must be numeric, got role 'category'"),
        ({"label": "sex"}, "column 'sex' must have one of the roles label, got 'group'"),
        ({"several": ("purpose", "income")}, "column 'income' must be category"),
        ({"several": ()}, "must name at least one column, got none"),
        ({"group": ("sex", "sex")}, "attributes must differ, got ('sex', 'sex')"),
        ({"group": "income"}, "column 'income' must have one of the roles category, group, slice"),
    ],
)
def test_a_column_that_does_not_fit_is_named_with_what_would_fit(options, problem) -> None:
    ((option, found),) = column_problems(Example(**options), SCHEMA)

    assert option == next(iter(options))
    assert found.startswith(problem)


def test_every_wrong_option_is_reported_at_once() -> None:
    wrong = Example(anything="nothing", number="sex", group=("sex", "nobody"))

    assert [option for option, _ in column_problems(wrong, SCHEMA)] == [
        "anything",
        "number",
        "group",
    ]


def test_a_check_is_a_category_where_the_schema_has_safety_checks() -> None:
    name = "check:output/moderation/hate/threatening"

    assert column_problems(Example(anything=name), CHECKED) == []
    assert "role 'safety_check'" in column_problems(Example(anything=name), SCHEMA)[0][1]
    assert "must be a column" in column_problems(Example(number=name), CHECKED)[0][1]
    assert "must be a column" in column_problems(Example(group=name), CHECKED)[0][1]


def test_a_category_may_hold_a_stroke_and_may_not_be_absent() -> None:
    assert column_problems(Example(check="output/moderation/self-harm/intent"), CHECKED) == []
    assert column_problems(Example(check="output/moderation"), CHECKED) == [
        ("check", "must be 'stage/filter/category', got 'output/moderation'")
    ]


def test_an_intersection_is_written_with_its_attributes_in_order() -> None:
    group = ("sex", "age_band")

    assert group_label("sex") == "sex"
    assert group_label(group) == "sex*age_band"
    assert group_columns(group) == group
    assert group_need(group) == (AxisNeed("sex"), AxisNeed("age_band"))


def test_configuration_can_give_an_intersection_as_a_list() -> None:
    one = TypeAdapter(Example).validate_python({"group": ["sex", "age_band"]})

    assert one.group == ("sex", "age_band")
