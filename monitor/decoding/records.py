"""What both ways of reading a block offer: the values at a path, cast, with what did not fit."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from baselines.columns import Categories
from monitor.decoding.base import Remark
from monitor.decoding.times import Times

__all__ = ["CategoriesFound", "ChecksFound", "Convert", "NumbersFound", "Records", "TextsFound"]

Mask = npt.NDArray[np.bool_]

Convert = Callable[[object], str | None]
"""From a value to a level; None: missing. Raises InvalidValueError."""


@dataclass(frozen=True, slots=True)
class NumbersFound:
    """Float64 values, where they are missing and where they are no numbers."""

    values: npt.NDArray[np.float64]
    missing: Mask | None = None
    unfit: Mask | None = None


@dataclass(frozen=True, slots=True)
class CategoriesFound:
    """Encoded levels, and where the value could not be one."""

    categories: Categories
    unfit: Mask | None = None


@dataclass(frozen=True, slots=True)
class TextsFound:
    """Texts, None where missing, and where the value was no text."""

    texts: list[str | None]
    unfit: Mask | None = None


@dataclass(frozen=True, slots=True)
class ChecksFound:
    """The verdicts at one path.

    Parameters
    ----------
    rows, keys, outcomes
        Verdicts with a structure, of shape (n_verdicts,): the record, the position in
        `names`, the position in the outcomes of checks.
    names
        Names of check columns.
    flat
        Verdicts that are a bare boolean; None if there are none.
    unfit
        Where the value was no verdict.
    remarks
        What was odd.
    """

    rows: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    keys: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    outcomes: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    names: list[str] = field(default_factory=list)
    flat: Categories | None = None
    unfit: Mask | None = None
    remarks: Mapping[Remark, int] = field(default_factory=Counter)


class Records(Protocol):
    """Records of one block, whatever they were read with."""

    @property
    def n_rows(self) -> int:
        """Return how many records there are."""
        ...

    def has(self, path: str) -> bool:
        """Return whether the block can have values at `path` at all."""
        ...

    def numbers(self, path: str) -> NumbersFound:
        """Return the numbers at `path`."""
        ...

    def categories(self, path: str, convert: Convert) -> CategoriesFound:
        """Return the levels that `convert` makes of the values at `path`."""
        ...

    def times(self, path: str, unit: str) -> Times:
        """Return the event times at `path`."""
        ...

    def texts(self, path: str) -> TextsFound:
        """Return the texts at `path`."""
        ...

    def checks(self, path: str) -> ChecksFound:
        """Return the verdicts of safety checks at `path`."""
        ...
