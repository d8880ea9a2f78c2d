"""Named arrays of one length: the only container that rows travel in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["Categories", "Columns", "Field", "Numbers", "concatenate"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A numeric column.

    Parameters
    ----------
    values
        Float64 of shape (n_rows,); NaN and infinities are *non-finite*, not missing.
    missing
        Boolean of shape (n_rows,): where the record had no value; None: nowhere.
    """

    values: npt.NDArray[np.float64]
    missing: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Numbers":
        """Return the chosen rows (indices or a boolean mask of shape (n_rows,))."""
        missing = None if self.missing is None else self.missing[rows]
        return Numbers(self.values[rows], missing)


@dataclass(frozen=True, slots=True)
class Categories:
    """A categorical column, dictionary-encoded.

    Parameters
    ----------
    codes
        Int32 of shape (n_rows,): positions in `levels`; -1 where the value is missing.
    levels
        The distinct values that `codes` refer to, in any order, without repeats.
    """

    codes: npt.NDArray[np.int32]
    levels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Categories":
        """Return the chosen rows (indices or a boolean mask of shape (n_rows,))."""
        return Categories(self.codes[rows], self.levels)

    def compact(self) -> "Categories":
        """Return the same values with only the levels in use, sorted."""
        used = np.unique(self.codes[self.codes >= 0])
        return self.recoded(tuple(sorted(self.levels[code] for code in used)))

    def recoded(self, levels: tuple[str, ...]) -> "Categories":
        """Return the same values as positions in `levels`, which must hold every one in use."""
        position = {level: code for code, level in enumerate(levels)}
        # The last element is where the code -1 of a missing value points.
        table = [position.get(level, -1) for level in self.levels] + [-1]
        return Categories(np.array(table, dtype=np.int32)[self.codes], levels)

    @classmethod
    def from_values(cls, values: Sequence[str | None]) -> "Categories":
        """Return the encoding of `values`, None meaning missing; levels in sorted order."""
        levels = tuple(sorted({value for value in values if value is not None}))
        position = {level: code for code, level in enumerate(levels)}
        codes = [-1 if value is None else position[value] for value in values]
        return cls(np.array(codes, dtype=np.int32), levels)


Field = Numbers | Categories


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Rows, column by column.

    Parameters
    ----------
    n_rows
        How many rows; the length of every array.
    time_us
        Event time in microseconds since 1970-01-01T00:00Z, int64 of shape (n_rows,).
    fields
        The countable columns by name.
    event_ids
        The event ids as strings, when somebody asked for them; object array (n_rows,).
    weights
        How many outputs each row stands for, int64 >= 0 of shape (n_rows,); None: one each.

    Raises
    ------
    ValueError
        If an array has another length than `n_rows`.
    """

    n_rows: int
    time_us: npt.NDArray[np.int64]
    fields: Mapping[str, Field] = field(default_factory=dict)
    event_ids: npt.NDArray[np.object_] | None = None
    weights: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        arrays: list[tuple[str, int]] = [("time_us", len(self.time_us))]
        if self.event_ids is not None:
            arrays.append(("event_ids", len(self.event_ids)))
        if self.weights is not None:
            arrays.append(("weights", len(self.weights)))
        arrays += [(name, len(values)) for name, values in self.fields.items()]
        for name, length in arrays:
            if length != self.n_rows:
                message = f"column {name!r} must have {self.n_rows} rows, got {length}"
                raise ValueError(message)

    def __len__(self) -> int:
        return self.n_rows

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Columns":
        """Return the chosen rows (indices or a boolean mask of shape (n_rows,))."""
        time_us = self.time_us[rows]
        return Columns(
            n_rows=len(time_us),
            time_us=time_us,
            fields={name: values.take(rows) for name, values in self.fields.items()},
            event_ids=None if self.event_ids is None else self.event_ids[rows],
            weights=None if self.weights is None else self.weights[rows],
        )


def concatenate(pieces: Sequence[Columns]) -> Columns:
    """Return the rows of all pieces, in order.

    A field that a piece lacks is missing in its rows; the levels of a category are those of all
    pieces, sorted. Event ids are kept only if every piece has them; a piece without weights
    counts each row once.

    Raises
    ------
    TypeError
        If a field is numeric in one piece and a category in another.

    Examples
    --------
    >>> pieces = [
    ...     Columns(n_rows=1, time_us=np.array([0]), fields={"x": Categories.from_values([x])})
    ...     for x in ("b", "a")
    ... ]
    >>> concatenate(pieces).fields["x"].levels
    ('a', 'b')
    """
    ids = [piece.event_ids for piece in pieces if piece.event_ids is not None]
    weights = [
        np.ones(len(piece), dtype=np.int64) if piece.weights is None else piece.weights
        for piece in pieces
    ]
    weighted = any(piece.weights is not None for piece in pieces)
    names = dict.fromkeys(name for piece in pieces for name in piece.fields)
    times = [piece.time_us for piece in pieces]
    return Columns(
        n_rows=sum(len(piece) for piece in pieces),
        time_us=np.concatenate([np.empty(0, dtype=np.int64), *times]),
        fields={name: _concatenate_field(name, pieces) for name in names},
        event_ids=np.concatenate(ids) if ids and len(ids) == len(pieces) else None,
        weights=np.concatenate(weights) if weighted else None,
    )


def _concatenate_field(name: str, pieces: Sequence[Columns]) -> Field:
    parts = [(len(piece), piece.fields.get(name)) for piece in pieces]
    kinds = {type(part) for _, part in parts if part is not None}
    if len(kinds) > 1:
        message = f"column {name!r} must be numeric in every piece or in none"
        raise TypeError(message)
    if kinds == {Numbers}:
        return _concatenate_numbers([(n, p) for n, p in parts if not isinstance(p, Categories)])
    return _concatenate_categories([(n, p) for n, p in parts if not isinstance(p, Numbers)])


def _concatenate_numbers(parts: Sequence[tuple[int, Numbers | None]]) -> Numbers:
    values = [np.full(n, np.nan) if part is None else part.values for n, part in parts]
    if all(part is not None and part.missing is None for _, part in parts):
        return Numbers(np.concatenate(values))
    missing = [
        np.full(n, part is None) if part is None or part.missing is None else part.missing
        for n, part in parts
    ]
    return Numbers(np.concatenate(values), np.concatenate(missing))


def _concatenate_categories(parts: Sequence[tuple[int, Categories | None]]) -> Categories:
    levels = tuple(
        sorted({level for _, part in parts if part is not None for level in part.levels})
    )
    codes = [
        np.full(n, -1, dtype=np.int32) if part is None else part.recoded(levels).codes
        for n, part in parts
    ]
    return Categories(np.concatenate(codes), levels)
