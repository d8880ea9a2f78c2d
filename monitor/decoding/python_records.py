"""Records as lists of Python values: the slow way, which takes anything."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from baselines.columns import Categories
from monitor.decoding.checks import Verdicts, flat_outcome
from monitor.decoding.records import (
    CategoriesFound,
    ChecksFound,
    Convert,
    NumbersFound,
    TextsFound,
)
from monitor.decoding.times import INVALID, Times, epoch_times, text_times
from monitor.decoding.values import InvalidValueError, as_float, as_text

__all__ = ["PythonRecords", "checks_of", "encode_distinct"]

_INT64 = 2**63


def _or_none(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_] | None:
    return mask if mask.any() else None


def encode_distinct(values: Sequence[object], convert: Convert) -> tuple[list[int], list[str]]:
    """Return a code for each value, -1 missing and -2 unfit, and the levels they refer to."""
    levels: dict[str, int] = {}
    codes = []
    for value in values:
        try:
            level = convert(value)
        except InvalidValueError:
            codes.append(-2)
            continue
        codes.append(-1 if level is None else levels.setdefault(level, len(levels)))
    return codes, list(levels)


class PythonRecords:
    """Values by path.

    Parameters
    ----------
    n_rows
        How many records there are.
    values
        The values of every record at each path that was read, None where there is none.
    """

    def __init__(self, n_rows: int, values: Mapping[str, Sequence[object]]) -> None:
        self._n_rows = n_rows
        self._values = values

    @property
    def n_rows(self) -> int:
        """Return how many records there are."""
        return self._n_rows

    def has(self, path: str) -> bool:
        """Return whether values were read at `path`."""
        return path in self._values

    def numbers(self, path: str) -> NumbersFound:
        """Return the numbers at `path`."""
        values = np.zeros(self._n_rows)
        missing = np.zeros(self._n_rows, np.bool_)
        unfit = np.zeros(self._n_rows, np.bool_)
        for row, value in enumerate(self._at(path)):
            try:
                number = as_float(value)
            except InvalidValueError:
                unfit[row] = True
                continue
            if number is None:
                missing[row] = True
            else:
                values[row] = number
        return NumbersFound(values, _or_none(missing), _or_none(unfit))

    def categories(self, path: str, convert: Convert) -> CategoriesFound:
        """Return the levels that `convert` makes of the values at `path`."""
        codes, levels = encode_distinct(self._at(path), convert)
        array = np.array(codes, np.int32)
        unfit = _or_none(array == -2)
        return CategoriesFound(Categories(np.maximum(array, -1), tuple(levels)), unfit)

    def times(self, path: str, unit: str) -> Times:
        """Return the event times at `path`: numbers and texts each by their own rule."""
        values = self._at(path)
        times = Times.nowhere(self._n_rows)
        kinds = np.array([_time_kind(value) for value in values], np.int8)
        times.state[kinds == _OTHER] = INVALID
        rows = np.flatnonzero(kinds == _INTEGER)
        integers = np.array([values[row] for row in rows.tolist()], np.int64)
        _put(times, rows, epoch_times(integers, None, unit))
        rows = np.flatnonzero(kinds == _FLOAT)
        floats = np.array([values[row] for row in rows.tolist()], np.float64)
        _put(times, rows, epoch_times(floats, None, unit))
        rows = np.flatnonzero(kinds == _TEXT)
        texts = pa.array([values[row] for row in rows.tolist()], pa.string())
        _put(times, rows, text_times(texts, unit))
        return times

    def texts(self, path: str) -> TextsFound:
        """Return the texts at `path`."""
        texts: list[str | None] = []
        unfit = np.zeros(self._n_rows, np.bool_)
        for row, value in enumerate(self._at(path)):
            try:
                texts.append(as_text(value))
            except InvalidValueError:
                texts.append(None)
                unfit[row] = True
        return TextsFound(texts, _or_none(unfit))

    def checks(self, path: str) -> ChecksFound:
        """Return the verdicts of safety checks at `path`."""
        return checks_of(self._at(path))

    def _at(self, path: str) -> Sequence[object]:
        return self._values.get(path) or [None] * self._n_rows


_NONE, _INTEGER, _FLOAT, _TEXT, _OTHER = range(5)


def _time_kind(value: object) -> int:
    if value is None:
        return _NONE
    if isinstance(value, str):
        return _TEXT
    if isinstance(value, int) and not isinstance(value, bool):
        return _INTEGER if -_INT64 <= value < _INT64 else _FLOAT
    return _FLOAT if isinstance(value, float) else _OTHER


def _put(times: Times, rows: npt.NDArray[np.intp], found: Times) -> None:
    times.us[rows] = found.us
    times.state[rows] = found.state


def checks_of(values: Sequence[object]) -> ChecksFound:
    """Return the verdicts that `values` hold, one value a record."""
    verdicts = Verdicts()
    flat: list[object] = [None] * len(values)
    unfit = np.zeros(len(values), np.bool_)
    for row, value in enumerate(values):
        structured = isinstance(value, list | dict) or (
            isinstance(value, str) and value.lstrip()[:1] in ("[", "{")
        )
        try:
            if structured:
                verdicts.add(row, value)
            else:
                flat[row] = flat_outcome(value)
        except InvalidValueError:
            unfit[row] = True
    names = sorted(set(verdicts.keys))
    position = {name: place for place, name in enumerate(names)}
    levels = [level if isinstance(level, str) else None for level in flat]
    return ChecksFound(
        rows=np.array(verdicts.rows, np.intp),
        keys=np.array([position[key] for key in verdicts.keys], np.intp),
        outcomes=np.array(verdicts.outcomes, np.intp),
        names=names,
        flat=Categories.from_values(levels) if any(levels) else None,
        unfit=_or_none(unfit),
        remarks=Counter(verdicts.remarks),
    )
