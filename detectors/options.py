"""What detectors share: common options, and options that name columns of the schema.

A field is marked with metadata inside ``Annotated``; `column_problems` reads the marks and
checks every marked field against a schema, so that no detector repeats those checks. Options
name ONE series: configuration may accept lists and expands them into several detectors.
"""

import dataclasses
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import annotated_types as at

from baselines.checks import CHECK_PREFIX, check_column
from baselines.layout import AxisNeed
from baselines.reference import Reference
from baselines.schema import Column, Role, Schema
from baselines.summary import Window
from detectors.base import FailureMode
from detectors.evidence.questions import Question

__all__ = [
    "CheckOption",
    "ColumnOption",
    "CommonOptions",
    "GroupName",
    "GroupOption",
    "check_prefix",
    "column_options",
    "column_problems",
    "group_columns",
    "group_label",
    "group_need",
]

Kind = Literal["numeric", "category", "any"]

GroupName = str | tuple[str, ...]
"""A group attribute, or the attributes of a declared intersection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnOption:
    """Marks a field whose value is the name of a column (None: not set).

    Parameters
    ----------
    roles
        The roles that the column may have; empty: any role that is counted.
    kind
        Whether the column must be counted on numeric bins or on category levels.
    many
        Whether the value is a tuple of names instead of one.
    """

    roles: frozenset[Role] = field(default_factory=frozenset)
    kind: Kind = "any"
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOption:
    """Marks a field whose value is a group attribute or an intersection of several."""

    roles: frozenset[Role] = frozenset({Role.GROUP, Role.CATEGORY, Role.SLICE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOption:
    """Marks a field that names a safety check.

    Parameters
    ----------
    parts
        2: a filter, ``stage/filter``; 3: one category of it, ``stage/filter/category``.
        A category may itself hold ``/`` (``hate/threatening``); a stage may not.
    """

    parts: Literal[2, 3]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonOptions:
    """The options that every detector has, and what holds unless a detector says otherwise.

    Parameters
    ----------
    confidence
        Of the two-sided interval of the effect, between 0.5 and 1. At 0.99 a series that sits
        exactly at its tolerance is called beyond in at most 0.5 % of windows.
    min_rows
        The least number of rows, in the window and in the reference, that an effect is
        computed from; fewer give `Verdict.INSUFFICIENT_DATA`. Bounds are honest in small
        samples too; this is for effects that mean little.
    failure_mode
        Which kind of incident a breach of this series is.
    """

    confidence: Annotated[float, at.Gt(0.5), at.Lt(1)] = 0.99
    min_rows: Annotated[int, at.Ge(1)] = 50
    failure_mode: FailureMode = FailureMode.BEHAVIOURAL

    def problems(self, schema: Schema) -> Sequence[tuple[str, str]]:
        """Return (option, what is wrong) for every option that does not fit `schema`."""
        return column_problems(self, schema)

    @property
    def asks(self) -> bool:
        """Return that no evidence can be gathered over windows."""
        return False

    def question(self, reference: Reference, window: Window) -> Question | None:
        """Return None: decided by its interval in each window; no false-alarm guarantee."""
        return None


Mark = ColumnOption | GroupOption | CheckOption


def column_options(cls: type[Any]) -> dict[str, Mark]:
    """Return the marked fields of a detector class, by field name, in order.

    Examples
    --------
    >>> column_options(CommonOptions)
    {}
    """
    hints = get_type_hints(cls, include_extras=True)
    marks: dict[str, Mark] = {}
    for option in dataclasses.fields(cls):
        hint = hints[option.name]
        if get_origin(hint) is not Annotated:
            continue
        for mark in get_args(hint)[1:]:
            if isinstance(mark, ColumnOption | GroupOption | CheckOption):
                marks[option.name] = mark
    return marks


def column_problems(detector: object, schema: Schema) -> list[tuple[str, str]]:
    """Return (option, what is wrong) for every marked field that does not fit `schema`.

    Parameters
    ----------
    detector
        An instance of a dataclass whose fields carry marks.
    schema
        The columns that events have.
    """
    problems: list[tuple[str, str]] = []
    for option, mark in column_options(type(detector)).items():
        value = getattr(detector, option)
        if value is None:
            continue
        if isinstance(mark, CheckOption):
            found = _check_problem(value, mark, schema)
            problems += [(option, found)] if found else []
            continue
        names = (value,) if isinstance(value, str) else tuple(value)
        if isinstance(mark, GroupOption) and len(set(names)) != len(names):
            problems.append((option, f"attributes must differ, got {names!r}"))
        if not names:
            problems.append((option, "must name at least one column, got none"))
        for name in names:
            found = _column_problem(name, mark, schema)
            problems += [(option, found)] if found else []
    return problems


def group_columns(group: GroupName) -> tuple[str, ...]:
    """Return the attributes of a group option.

    Examples
    --------
    >>> group_columns("sex"), group_columns(("sex", "age_band"))
    (('sex',), ('sex', 'age_band'))
    """
    return (group,) if isinstance(group, str) else tuple(group)


def group_label(group: GroupName) -> str:
    """Return how series names write a group option: ``sex`` or ``sex*age_band``."""
    return "*".join(group_columns(group))


def group_need(group: GroupName) -> tuple[AxisNeed, ...]:
    """Return the axes of a group option, to be put before the outcome's axis."""
    return tuple(AxisNeed(column) for column in group_columns(group))


def check_prefix(check: str) -> str:
    """Return what the columns of a filter's categories begin with.

    Examples
    --------
    >>> check_prefix("output/azure.content_filter")
    'check:output/azure.content_filter/'
    """
    stage, _, filter_name = check.partition("/")
    return check_column(stage, filter_name, "")


def _check_problem(value: str, mark: CheckOption, schema: Schema) -> str | None:
    shape = "stage/filter" if mark.parts == 2 else "stage/filter/category"
    if not schema.with_role(Role.SAFETY_CHECK):
        return f"needs a column with role 'safety_check', the schema {schema.name!r} has none"
    if value.startswith(CHECK_PREFIX):
        return f"must be {shape!r} without {CHECK_PREFIX!r}, got {value!r}"
    parts = value.split("/")
    if len(parts) < mark.parts or not all(parts):
        return f"must be {shape!r}, got {value!r}"
    return None


def _column_problem(name: str, mark: ColumnOption | GroupOption, schema: Schema) -> str | None:
    if name.startswith(CHECK_PREFIX):
        return _check_column_problem(name, mark, schema)
    if name not in schema:
        return f"unknown column {name!r}{_suggestion(name, mark, schema)}"
    column = schema[name]
    if mark.roles and column.role not in mark.roles:
        allowed = ", ".join(sorted(role.value for role in mark.roles))
        return f"column {name!r} must have one of the roles {allowed}, got {column.role.value!r}"
    if isinstance(mark, GroupOption):
        kind: Kind = "category"
    else:
        kind = mark.kind
    if not _has_kind(column, kind):
        wanted = "numeric or a category" if kind == "any" else kind
        return f"column {name!r} must be {wanted}, got role {column.role.value!r}"
    return None


def _check_column_problem(
    name: str, mark: ColumnOption | GroupOption, schema: Schema
) -> str | None:
    if isinstance(mark, GroupOption) or mark.kind == "numeric":
        return f"must be a column of the schema, got the safety check {name!r}"
    return _check_problem(name.removeprefix(CHECK_PREFIX), CheckOption(parts=3), schema)


def _has_kind(column: Column, kind: Kind) -> bool:
    if kind == "numeric":
        return column.is_numeric
    if kind == "category":
        return column.is_category
    return column.is_numeric or column.is_category


def _suggestion(name: str, mark: ColumnOption | GroupOption, schema: Schema) -> str:
    fitting = [column.name for column in schema if not mark.roles or column.role in mark.roles]
    close = difflib.get_close_matches(name, [column.name for column in schema], n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; columns that fit: {', '.join(fitting)}" if fitting else "; no column fits"
