"""The columns of an event: what each is called, where it stands and what part it plays."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["DEFAULT_DTYPES", "Column", "Dtype", "Role", "Schema"]


class Role(StrEnum):
    """The part that a column plays in monitoring."""

    TIMESTAMP = "timestamp"
    EVENT_ID = "event_id"
    SUBJECT = "subject"
    NUMERIC = "numeric"
    CATEGORY = "category"
    PREDICTION = "prediction"
    SCORE = "score"
    LABEL = "label"
    TEXT = "text"
    GROUP = "group"
    SLICE = "slice"
    WEIGHT = "weight"
    SAFETY_CHECK = "safety_check"


class Dtype(StrEnum):
    """The type that a value is cast to before it is counted."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    INT64 = "int64"
    STRING = "string"
    BOOLEAN = "boolean"


DEFAULT_DTYPES: dict[Role, Dtype] = {
    Role.TIMESTAMP: Dtype.STRING,
    Role.EVENT_ID: Dtype.STRING,
    Role.SUBJECT: Dtype.STRING,
    Role.NUMERIC: Dtype.FLOAT64,
    Role.CATEGORY: Dtype.STRING,
    Role.PREDICTION: Dtype.STRING,
    Role.SCORE: Dtype.FLOAT64,
    Role.LABEL: Dtype.STRING,
    Role.TEXT: Dtype.STRING,
    Role.GROUP: Dtype.STRING,
    Role.SLICE: Dtype.STRING,
    Role.WEIGHT: Dtype.INT64,
    Role.SAFETY_CHECK: Dtype.STRING,
}

_NUMBER_DTYPES = frozenset({Dtype.FLOAT64, Dtype.FLOAT32, Dtype.INT64})
_CATEGORY_ROLES = frozenset({Role.CATEGORY, Role.GROUP, Role.SLICE})
_NUMBER_ROLES = frozenset({Role.NUMERIC, Role.SCORE})
_EITHER_ROLES = frozenset({Role.PREDICTION, Role.LABEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of an event.

    Parameters
    ----------
    name
        What findings and tables call it; unique within the schema.
    role
        The part it plays.
    path
        Where it stands in the record: keys joined by dots, list elements as ``[0]``;
        a flat column name for CSV and Parquet. Empty: the same as `name`.
    dtype
        The type its values are cast to; None: the default of the role.
    unit
        The unit of a numeric column, for display.
    positive
        Which levels of a prediction, label or category count as positive; empty: ``true``.
    threshold
        For a numeric prediction: positive when the value is at least this.
    """

    name: str
    role: Role
    path: str = ""
    dtype: Dtype | None = None
    unit: str = ""
    positive: tuple[str, ...] = ()
    threshold: float | None = None

    @property
    def source_path(self) -> str:
        """Return the path that the value is read from."""
        return self.path or self.name

    @property
    def value_dtype(self) -> Dtype:
        """Return the dtype in force."""
        return self.dtype or DEFAULT_DTYPES[self.role]

    @property
    def positive_levels(self) -> tuple[str, ...]:
        """Return the levels that count as positive."""
        return self.positive or ("true",)

    @property
    def is_numeric(self) -> bool:
        """Return whether the column is counted on numeric bins."""
        if self.role in _EITHER_ROLES:
            return self.threshold is None and self.value_dtype in _NUMBER_DTYPES
        return self.role in _NUMBER_ROLES

    @property
    def is_category(self) -> bool:
        """Return whether the column is counted on category levels."""
        if self.role in _EITHER_ROLES:
            return not self.is_numeric
        return self.role in _CATEGORY_ROLES


class _Lookup:
    """Room for the columns by name: no field, so neither compared, shown nor pickled."""

    __slots__ = ("_by_name",)
    _by_name: Mapping[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema(_Lookup):
    """The columns of an event, in order.

    Raises
    ------
    ValueError
        If two columns share a name, or more than one is the timestamp.
    """

    columns: tuple[Column, ...]
    name: str = "custom"

    def __post_init__(self) -> None:
        times = Counter(column.name for column in self.columns)
        twice = sorted(name for name, number in times.items() if number > 1)
        if twice:
            message = f"column names must be unique, got {twice!r} more than once"
            raise ValueError(message)
        for role in (Role.TIMESTAMP, Role.EVENT_ID, Role.WEIGHT):
            if sum(column.role is role for column in self.columns) > 1:
                message = f"a schema has at most one {role.value} column"
                raise ValueError(message)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        return self._columns_by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._columns_by_name

    @property
    def _columns_by_name(self) -> Mapping[str, Column]:
        try:
            return self._by_name
        except AttributeError:
            known = {column.name: column for column in self.columns}
            # Made on first use, also after unpickling; it says nothing new about the schema.
            object.__setattr__(self, "_by_name", known)
            return known

    def with_role(self, *roles: Role) -> tuple[Column, ...]:
        """Return the columns that play one of `roles`, in schema order."""
        return tuple(column for column in self.columns if column.role in roles)

    def only(self, role: Role) -> Column | None:
        """Return the one column with `role`, or None."""
        found = self.with_role(role)
        return found[0] if found else None
