"""One value at a time: what a number, a category or a verdict is, whatever the format.

Both ways of reading a block end here, so that they cannot disagree: the slow way calls these
functions for each record, the fast way for each distinct value.
"""

import re
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from baselines.schema import Dtype

__all__ = ["InvalidValueError", "as_boolean", "as_float", "as_text", "category_text", "fit_dtype"]

_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan(?:\(\w*\))?)",
    re.ASCII | re.IGNORECASE,
)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_INT64_LIMIT = 2.0**63
# Made once: raising to this power takes longer than all else that is done for a value.
_TOO_LONG = 10**4_000


class InvalidValueError(ValueError):
    """A value that cannot be cast to its column's type."""


def _refuse(value: object, wanted: str) -> InvalidValueError:
    return InvalidValueError(f"must be {wanted}, got a {type(value).__name__}")


def as_float(value: object) -> float | None:
    """Return `value` as float64, None if it is missing; text may hold a number.

    Numbers beyond the range of float64 become infinite. Blank text is missing.

    Raises
    ------
    InvalidValueError
        If it is not a number.

    Examples
    --------
    >>> as_float(" 1e3 "), as_float("nan"), as_float(True), as_float("")
    (1000.0, nan, 1.0, None)
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _text_to_float(value)
    if isinstance(value, bool | int | float | Decimal | np.integer | np.floating):
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    raise _refuse(value, "a number")


def _text_to_float(value: str) -> float | None:
    text = value.strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise _refuse(value, "a number")
    return float(text.split("(")[0])


def as_boolean(value: object) -> bool | None:
    """Return `value` as a boolean, None if it is missing.

    True, 1, 1.0 and the texts ``true``, ``1``, ``1.0`` in any case are true; likewise false.

    Raises
    ------
    InvalidValueError
        If it is none of them.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip().lower()
        if not text:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
    elif isinstance(value, int | float) and value in (0, 1):
        return value == 1
    raise _refuse(value, "true or false")


def as_text(value: object) -> str | None:
    """Return `value` as text; numbers as Python writes them, booleans as JSON does.

    Raises
    ------
    InvalidValueError
        If it is an object, a list, or bytes that are not UTF-8.

    Examples
    --------
    >>> as_text(1), as_text(1.0), as_text(True), as_text("True")
    ('1', '1.0', 'true', 'True')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int | Decimal) and -_TOO_LONG < value < _TOO_LONG:
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise _refuse(value, "UTF-8 text") from None
    raise _refuse(value, "text, a number or a boolean")


def category_text(value: object, dtype: Dtype) -> str | None:
    """Return the level that `value` is, after the cast to `dtype`; None if it is missing.

    Raises
    ------
    InvalidValueError
        If it cannot be cast.

    Examples
    --------
    >>> category_text(1.0, Dtype.INT64), category_text(1, Dtype.FLOAT64)
    ('1', '1.0')
    >>> category_text("True", Dtype.BOOLEAN), category_text("True", Dtype.STRING)
    ('true', 'True')
    """
    if dtype is Dtype.STRING:
        return as_text(value)
    if dtype is Dtype.BOOLEAN:
        return as_text(as_boolean(value))
    if dtype is Dtype.INT64:
        return _integer_text(value)
    number = as_float(value)
    if number is None or dtype is Dtype.FLOAT64:
        return as_text(number)
    with np.errstate(over="ignore"):
        return str(np.float32(number))


def _integer_text(value: object) -> str | None:
    number = as_float(value)
    if number is None or not np.isfinite(number):
        return as_text(number)
    if abs(number) > _INT64_LIMIT or number != int(number):
        raise _refuse(value, "an integer of 64 bits")
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return str(int(value))
    return str(int(value if isinstance(value, int) else number))


def fit_dtype(
    values: npt.NDArray[np.float64], dtype: Dtype
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_] | None]:
    """Return numbers rounded to `dtype`, and where they do not fit; None: they all do.

    Values and mask have shape (n_rows,). Only int64 refuses: fractions, and magnitudes beyond
    2**63. NaN and infinities pass: they are counted as non-finite.
    """
    if dtype is Dtype.FLOAT32:
        with np.errstate(over="ignore"):
            return values.astype(np.float32).astype(np.float64), None
    if dtype is Dtype.INT64:
        with np.errstate(invalid="ignore"):
            unfit = np.isfinite(values) & (
                (values != np.rint(values)) | (np.abs(values) > _INT64_LIMIT)
            )
        return values, unfit if unfit.any() else None
    return values, None
