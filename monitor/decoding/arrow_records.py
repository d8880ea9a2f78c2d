"""Records as a pyarrow table: the fast way, value by value only for distinct values."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from baselines.columns import Categories
from monitor.decoding.arrow_checks import structured_checks
from monitor.decoding.checks import flat_outcome
from monitor.decoding.paths import parse_path
from monitor.decoding.python_records import checks_of, encode_distinct
from monitor.decoding.records import (
    CategoriesFound,
    ChecksFound,
    Convert,
    NumbersFound,
    TextsFound,
)
from monitor.decoding.times import INVALID, MISSING, Times, epoch_times, text_times
from monitor.decoding.values import InvalidValueError, as_float, as_text

__all__ = ["ArrowRecords", "text_numbers"]

_TICKS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_LAST_SECOND = 7_289_654_400
"""2201-01-01T00:00Z; later ticks are out of range before they are turned into microseconds."""


class ArrowRecords:
    """The columns of a table, by path.

    Parameters
    ----------
    table
        The records; nested values as structs and lists. A column whose name is the whole
        path is taken before the path is followed.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._columns: Mapping[str, int] = {
            name: place for place, name in enumerate(table.column_names)
        }

    @property
    def n_rows(self) -> int:
        """Return how many records there are."""
        return int(self._table.num_rows)

    def has(self, path: str) -> bool:
        """Return whether the table has a column for `path`."""
        return self.array(path) is not None

    def array(self, path: str) -> pa.Array | None:
        """Return the values at `path`, or None if the table has no such column."""
        if path in self._columns:
            return self._column(path)
        try:
            first, *rest = parse_path(path)
        except ValueError:
            # The flat name of a column, and this table lacks it.
            return None
        if first not in self._columns:
            return None
        array = self._column(str(first))
        for step in rest:
            array = _field(array, step) if isinstance(step, str) else _element(array, step)
            if array is None:
                return None
        return array

    def numbers(self, path: str) -> NumbersFound:
        """Return the numbers at `path`."""
        array = self.array(path)
        if array is None or pa.types.is_null(array.type):
            return NumbersFound(np.zeros(self.n_rows), np.ones(self.n_rows, np.bool_))
        array = _plain(array)
        if _is_text(array.type):
            return text_numbers(array)
        if not _is_number(array.type):
            return NumbersFound(np.zeros(self.n_rows), _nulls(array), _present(array))
        return NumbersFound(_floats(array), _nulls(array))

    def categories(self, path: str, convert: Convert) -> CategoriesFound:
        """Return the levels that `convert` makes of the values at `path`."""
        array = self.array(path)
        if array is None or pa.types.is_null(array.type):
            return CategoriesFound(Categories(np.full(self.n_rows, -1, np.int32), ()))
        if pa.types.is_nested(array.type):
            missing = np.full(self.n_rows, -1, np.int32)
            return CategoriesFound(Categories(missing, ()), _present(array))
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        codes, levels = encode_distinct(encoded.dictionary.to_pylist(), convert)
        indices = encoded.indices.cast(pa.int32()).fill_null(len(codes)).to_numpy()
        found = np.array([*codes, -1], np.int32)[indices]
        unfit = found == -2 if -2 in codes else None
        return CategoriesFound(Categories(np.maximum(found, -1), tuple(levels)), unfit)

    def times(self, path: str, unit: str) -> Times:
        """Return the event times at `path`."""
        array = self.array(path)
        if array is None or pa.types.is_null(array.type):
            return Times.nowhere(self.n_rows)
        array = _plain(array)
        if _is_text(array.type):
            return text_times(array, unit)
        if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
            return _arrow_times(array)
        if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
            kind = pa.int64() if pa.types.is_signed_integer(array.type) else pa.float64()
            filled = array.cast(kind, safe=False).fill_null(0)
            return epoch_times(filled.to_numpy(zero_copy_only=False), _nulls(array), unit)
        state = np.where(_present(array), INVALID, MISSING).astype(np.int8)
        return Times(np.zeros(self.n_rows, np.int64), state)

    def texts(self, path: str) -> TextsFound:
        """Return the texts at `path`."""
        array = self.array(path)
        if array is None:
            return TextsFound([None] * self.n_rows)
        if pa.types.is_nested(array.type):
            return TextsFound([None] * self.n_rows, _present(array))
        values = array.to_pylist()
        if _is_text(_plain_type(array.type)):
            return TextsFound(values)
        codes, levels = encode_distinct(values, as_text)
        unfit = np.array(codes, np.int32) == -2
        texts = [levels[code] if code >= 0 else None for code in codes]
        return TextsFound(texts, unfit if unfit.any() else None)

    def checks(self, path: str) -> ChecksFound:
        """Return the verdicts of safety checks at `path`."""
        array = self.array(path)
        if array is None or pa.types.is_null(array.type):
            return ChecksFound()
        if pa.types.is_struct(array.type) or (
            _is_list(array.type) and pa.types.is_struct(array.type.value_type)
        ):
            return structured_checks(array)
        if _is_list(array.type) or _is_text(_plain_type(array.type)):
            return checks_of(array.to_pylist())
        found = self.categories(path, flat_outcome)
        flat = found.categories if (found.categories.codes >= 0).any() else None
        return ChecksFound(flat=flat, unfit=found.unfit)

    def _column(self, name: str) -> pa.Array:
        column = self._table.column(self._columns[name])
        if column.num_chunks == 1:
            return column.chunk(0)
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        if column.num_chunks == 0:
            return pa.array([], column.type)
        return pa.concat_arrays(column.chunks)


def _field(array: pa.Array, name: str) -> pa.Array | None:
    if not pa.types.is_struct(array.type) or array.type.get_field_index(name) < 0:
        return None
    return pc.struct_field(array, [name])


def _element(array: pa.Array, index: int) -> pa.Array | None:
    if not _is_list(array.type):
        return None
    offsets = array.offsets.to_numpy().astype(np.int64)
    inside = (np.diff(offsets) > index) & _present(array)
    places = pa.array(np.where(inside, offsets[:-1] + index, 0), mask=~inside)
    return array.values.take(places)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_floating(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _plain(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _nulls(array: pa.Array) -> npt.NDArray[np.bool_] | None:
    if not array.null_count:
        return None
    missing: npt.NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return missing


def _present(array: pa.Array) -> npt.NDArray[np.bool_]:
    present: npt.NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return present


def _floats(array: pa.Array) -> npt.NDArray[np.float64]:
    cast = array.cast(pa.float64(), safe=False)
    filled = cast.fill_null(0.0) if cast.null_count else cast
    values: npt.NDArray[np.float64] = filled.to_numpy(zero_copy_only=False)
    return values


def text_numbers(array: pa.Array) -> NumbersFound:
    """Return the numbers that an array of strings holds; blank texts are missing."""
    try:
        return NumbersFound(_floats(array), _nulls(array))
    except pa.ArrowInvalid:
        encoded = array.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    numbers = np.zeros(len(distinct) + 1)
    states = np.zeros(len(distinct) + 1, np.int8)
    states[-1] = 1
    for place, text in enumerate(distinct):
        try:
            number = as_float(text)
        except InvalidValueError:
            states[place] = 2
            continue
        states[place] = number is None
        numbers[place] = 0.0 if number is None else number
    rows = encoded.indices.fill_null(len(distinct)).to_numpy()
    state = states[rows]
    return NumbersFound(numbers[rows], state == 1, state == 2)


def _arrow_times(array: pa.Array) -> Times:
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    per_second = _TICKS_PER_SECOND[array.type.unit]
    ticks: npt.NDArray[np.int64] = array.cast(pa.int64()).fill_null(0).to_numpy()
    # Ticks beyond the range are cut to just beyond it, so that the product cannot overflow.
    ticks = np.clip(ticks, -1, _LAST_SECOND * per_second)
    us = ticks * (1_000_000 // per_second) if per_second <= 1_000_000 else ticks // 1_000
    return Times.within_range(us, _nulls(array))
