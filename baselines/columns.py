"""Named arrays of one length: the only container that rows travel in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["Categories", "Columns", "Field", "Numbers"]


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
