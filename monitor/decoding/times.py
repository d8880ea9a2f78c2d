"""Timestamps to int64 microseconds since the epoch, UTC.

Accepted: RFC 3339 (``T`` or a space; ``Z``, an offset, or none, which is read as UTC; any
number of digits of a second, cut to microseconds), a date alone (midnight UTC), ``YYYYMMDD``
as text, RFC 2822, and numbers since the epoch (or their digits as text). The unit of a number
is the column's, or follows from its magnitude: below 1e11 seconds, below 1e14 milliseconds,
below 1e17 microseconds, above nanoseconds. Years outside 1970..2200 are out of range.
"""

import email.utils
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["INVALID", "MISSING", "OUT_OF_RANGE", "Times", "epoch_times", "text_times"]

MISSING: Final = 1
INVALID: Final = 2
OUT_OF_RANGE: Final = 3

_END_US = int(datetime(2201, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PER_UNIT = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}
_LIMITS = np.array([1e11, 1e14, 1e17])
_FACTORS = np.array(list(_PER_UNIT.values()))

_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r" ?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_RFC_2822 = re.compile(
    r"(?:[A-Za-z]{3},? )?\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d(?::\d\d)?"
    r" (?:[+-]\d{4}|GMT|UTC|UT|Z)",
    re.ASCII,
)
_DIGITS = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d+\.\d*", re.ASCII)
_EPOCH_DIGITS = r"^\d{9,19}$"


@dataclass(frozen=True, slots=True)
class Times:
    """Event times.

    Parameters
    ----------
    us
        Microseconds since the epoch, int64 of shape (n_rows,); 0 where there is none.
    state
        Int8 of shape (n_rows,): 0 where the time is good, else `MISSING`, `INVALID` or
        `OUT_OF_RANGE`.
    """

    us: npt.NDArray[np.int64]
    state: npt.NDArray[np.int8]

    @classmethod
    def nowhere(cls, n_rows: int) -> "Times":
        """Return `n_rows` missing times."""
        return cls(np.zeros(n_rows, np.int64), np.full(n_rows, MISSING, np.int8))

    @classmethod
    def within_range(
        cls, us: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_] | None
    ) -> "Times":
        """Return `us` with times outside 1970..2200 marked as out of range."""
        state = np.where((us < 0) | (us >= _END_US), OUT_OF_RANGE, 0).astype(np.int8)
        if missing is not None:
            state[missing] = MISSING
        return cls(np.where(state == 0, us, 0), state)


def epoch_times(
    values: npt.NDArray[np.int64] | npt.NDArray[np.float64],
    missing: npt.NDArray[np.bool_] | None,
    unit: str,
) -> Times:
    """Return the times that numbers since the epoch stand for.

    Parameters
    ----------
    values
        Of shape (n_rows,).
    missing
        Where there is no value; None: nowhere.
    unit
        ``s``, ``ms``, ``us`` or ``ns``; anything else: by magnitude.
    """
    approximate = values.astype(np.float64)
    if unit in _PER_UNIT:
        factors = np.full(len(values), _PER_UNIT[unit])
    else:
        factors = _FACTORS[np.searchsorted(_LIMITS, np.abs(approximate), side="right")]
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(approximate * factors)
        beyond = ~((scaled >= 0) & (scaled < _END_US))
    if values.dtype == np.int64:
        # Integers stay exact: multiplied, or cut, as integers.
        safe = np.where(beyond, 0, values).astype(np.int64)
        us = np.where(factors < 1, safe // 1_000, safe * factors.astype(np.int64))
    else:
        us = np.where(beyond, 0, scaled).astype(np.int64)
    state = np.where(beyond, OUT_OF_RANGE, 0).astype(np.int8)
    state[np.isnan(approximate)] = INVALID
    if missing is not None:
        state[missing] = MISSING
    return Times(np.where(state == 0, us, 0), state)


def text_times(texts: pa.Array, unit: str) -> Times:
    """Return the times that a pyarrow array of strings stands for, of shape (n_rows,).

    Blank texts are missing.
    """
    fast = _cast(texts)
    if fast is not None:
        return fast
    if unit or pc.all(pc.match_substring_regex(texts, _EPOCH_DIGITS), min_count=0).as_py():
        numbers = _cast_integers(texts)
        if numbers is not None:
            return epoch_times(numbers, _nulls(texts), unit)
    return _one_by_one(texts.to_pylist(), unit)


def _nulls(array: pa.Array) -> npt.NDArray[np.bool_] | None:
    if not array.null_count:
        return None
    missing: npt.NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return missing


def _cast(texts: pa.Array) -> Times | None:
    for unit, per_us in (("us", 1), ("ns", 1_000)):
        for zone in ("UTC", None):
            try:
                cast = texts.cast(pa.timestamp(unit, zone)).cast(pa.int64())
            except pa.ArrowInvalid:
                continue
            values: npt.NDArray[np.int64] = cast.fill_null(0).to_numpy(zero_copy_only=False)
            return Times.within_range(values // per_us, _nulls(texts))
    return None


def _cast_integers(texts: pa.Array) -> npt.NDArray[np.int64] | None:
    if not pc.all(pc.match_substring_regex(texts, r"^\d{1,19}$"), min_count=0).as_py():
        return None
    try:
        filled = texts.cast(pa.int64()).fill_null(0)
    except pa.ArrowInvalid:
        return None
    values: npt.NDArray[np.int64] = filled.to_numpy(zero_copy_only=False)
    return values


def _one_by_one(texts: Sequence[str | None], unit: str) -> Times:
    us = np.zeros(len(texts), np.int64)
    state = np.zeros(len(texts), np.int8)
    known: dict[str, tuple[int, int]] = {}
    for row, text in enumerate(texts):
        stripped = "" if text is None else text.strip()
        if not stripped:
            state[row] = MISSING
            continue
        if stripped not in known:
            known[stripped] = _parse(stripped, unit)
        us[row], state[row] = known[stripped]
    return Times(us, state)


def _parse(text: str, unit: str) -> tuple[int, int]:
    try:
        if unit in _PER_UNIT or not _is_compact_date(text):
            for pattern, kind in ((_DIGITS, int), (_DECIMAL, float)):
                if pattern.fullmatch(text):
                    return _number(kind(text), unit)
        us = _calendar_us(text)
    except (ValueError, OverflowError):
        return 0, INVALID
    return (us, 0) if 0 <= us < _END_US else (0, OUT_OF_RANGE)


def _is_compact_date(text: str) -> bool:
    return len(text) == 8 and text.isdigit()


def _number(value: float, unit: str) -> tuple[int, int]:
    if abs(value) >= 2**63:
        return 0, OUT_OF_RANGE
    times = epoch_times(np.array([value]), None, unit)
    return int(times.us[0]), int(times.state[0])


def _calendar_us(text: str) -> int:
    match = _RFC_3339.fullmatch(text)
    if match is None:
        if _is_compact_date(text):
            moment = datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
        elif _RFC_2822.fullmatch(text):
            moment = email.utils.parsedate_to_datetime(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            message = "not a timestamp"
            raise ValueError(message)
        return (moment - _EPOCH) // _MICROSECOND
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int(((fraction or "") + "000000")[:6]),
        tzinfo=_zone(zone),
    )
    return (moment - _EPOCH) // _MICROSECOND


def _zone(text: str | None) -> timezone:
    if text is None or text in ("Z", "z", "UTC"):
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 23 or minutes > 59:
        message = "not an offset"
        raise ValueError(message)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
