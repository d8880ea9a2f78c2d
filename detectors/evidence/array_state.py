"""States that are made of arrays: equality, freezing, and exact text for JSON."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

__all__ = ["ArrayState", "decode_array", "encode_array"]

_EXACT: dict[str, Callable[[Any], Any]] = {"float64": float.hex, "int64": int, "bool": bool}


def encode_array(array: npt.NDArray[Any]) -> dict[str, Any]:
    """Return a JSON-ready description of a float64, int64 or bool array, without rounding.

    Floats are written in hexadecimal, infinities as ``inf`` and ``-inf``.

    Raises
    ------
    ValueError
        If the array holds anything else.

    Examples
    --------
    >>> encode_array(np.array([0.5, -np.inf]))
    {'dtype': 'float64', 'shape': [2], 'values': ['0x1.0000000000000p-1', '-inf']}
    """
    dtype = array.dtype.name
    if dtype not in _EXACT:
        message = f"only {sorted(_EXACT)} can be written exactly, got {dtype!r}"
        raise ValueError(message)
    exact = _EXACT[dtype]
    values = [exact(value) for value in array.ravel().tolist()]
    return {"dtype": dtype, "shape": list(array.shape), "values": values}


def decode_array(description: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Return the array that `encode_array` described, equal to the last bit.

    Examples
    --------
    >>> decode_array(encode_array(np.array([[1, 2]])))
    array([[1, 2]])
    """
    values = description["values"]
    if description["dtype"] == "float64":
        values = [float.fromhex(value) for value in values]
    return np.array(values, dtype=description["dtype"]).reshape(description["shape"])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ArrayState:
    """What is carried from window to window: a dataclass whose fields are all arrays.

    The numbers are floats, but none of them is a summary of rows: every state follows from
    the integer counts of the windows, in order, and can be computed again from them. Arrays
    are made read-only; the leading axis of each is the series.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            getattr(self, field.name).setflags(write=False)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            for field in dataclasses.fields(self)
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready description, exact to the last bit."""
        return {
            field.name: encode_array(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> Self:
        """Return the state that `to_json` described."""
        return cls(**{name: decode_array(array) for name, array in description.items()})

    def take(self, series: npt.ArrayLike) -> Self:
        """Return the state of the series at these positions, in this order."""
        positions = np.asarray(series, dtype=np.intp)
        return type(self)(
            **{
                field.name: getattr(self, field.name)[positions]
                for field in dataclasses.fields(self)
            }
        )

    def joined(self, other: Self) -> Self:
        """Return the state of these series followed by those of `other`."""
        return type(self)(
            **{
                field.name: np.concatenate([getattr(self, field.name), getattr(other, field.name)])
                for field in dataclasses.fields(self)
            }
        )

    def replaced(self, series: npt.NDArray[np.bool_], other: Self) -> Self:
        """Return the state with that of `other` where `series`, of shape (S,), is true."""
        changed: dict[str, npt.NDArray[Any]] = {}
        for field in dataclasses.fields(self):
            mine = getattr(self, field.name)
            where = series.reshape(-1, *[1] * (mine.ndim - 1))
            changed[field.name] = np.where(where, getattr(other, field.name), mine)
        return type(self)(**changed)
