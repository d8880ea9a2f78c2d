"""Records of two kinds that stand between one another, as one."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from baselines.columns import Categories
from monitor.decoding.base import Remark
from monitor.decoding.records import (
    CategoriesFound,
    ChecksFound,
    Convert,
    Mask,
    NumbersFound,
    Records,
    TextsFound,
)
from monitor.decoding.times import Times

__all__ = ["JoinedRecords"]

Rows = npt.NDArray[np.intp]


class JoinedRecords:
    """The records of `first` and of `second`, each in its own rows.

    Parameters
    ----------
    first, second
        The records.
    rows_of_first, rows_of_second
        The row of each of their records, ascending; together every row once.
    """

    def __init__(
        self, first: Records, second: Records, *, rows_of_first: Rows, rows_of_second: Rows
    ) -> None:
        self._parts = ((first, rows_of_first), (second, rows_of_second))

    @property
    def n_rows(self) -> int:
        """Return how many records there are."""
        return sum(len(rows) for _, rows in self._parts)

    def has(self, path: str) -> bool:
        """Return whether either kind can have values at `path`."""
        return any(part.has(path) for part, _ in self._parts)

    def numbers(self, path: str) -> NumbersFound:
        """Return the numbers at `path`."""
        found = [(part.numbers(path), rows) for part, rows in self._parts]
        values = np.zeros(self.n_rows)
        for one, rows in found:
            values[rows] = one.values
        return NumbersFound(
            values,
            self._mask([one.missing for one, _ in found]),
            self._mask([one.unfit for one, _ in found]),
        )

    def categories(self, path: str, convert: Convert) -> CategoriesFound:
        """Return the levels that `convert` makes of the values at `path`."""
        found = [(part.categories(path, convert), rows) for part, rows in self._parts]
        every = [level for one, _ in found for level in one.categories.levels]
        levels = tuple(dict.fromkeys(every))
        codes = np.full(self.n_rows, -1, np.int32)
        for one, rows in found:
            codes[rows] = one.categories.recoded(levels).codes
        return CategoriesFound(
            Categories(codes, levels), self._mask([one.unfit for one, _ in found])
        )

    def times(self, path: str, unit: str) -> Times:
        """Return the event times at `path`."""
        times = Times.nowhere(self.n_rows)
        for part, rows in self._parts:
            one = part.times(path, unit)
            times.us[rows] = one.us
            times.state[rows] = one.state
        return times

    def texts(self, path: str) -> TextsFound:
        """Return the texts at `path`."""
        texts: list[str | None] = [None] * self.n_rows
        unfit: list[Mask | None] = []
        for part, rows in self._parts:
            one = part.texts(path)
            unfit.append(one.unfit)
            for row, text in zip(rows.tolist(), one.texts, strict=True):
                texts[row] = text
        return TextsFound(texts, self._mask(unfit))

    def checks(self, path: str) -> ChecksFound:
        """Return the verdicts of safety checks at `path`."""
        found = [(part.checks(path), rows) for part, rows in self._parts]
        names = sorted({name for one, _ in found for name in one.names})
        position = {name: place for place, name in enumerate(names)}
        keys = [
            np.array([position[name] for name in one.names], np.intp)[one.keys] for one, _ in found
        ]
        remarks: Counter[Remark] = Counter()
        for one, _ in found:
            remarks.update(one.remarks)
        return ChecksFound(
            rows=np.concatenate([rows[one.rows] for one, rows in found]),
            keys=np.concatenate(keys),
            outcomes=np.concatenate([one.outcomes for one, _ in found]),
            names=names,
            flat=self._flat([one.flat for one, _ in found]),
            unfit=self._mask([one.unfit for one, _ in found]),
            remarks=remarks,
        )

    def _flat(self, parts: list[Categories | None]) -> Categories | None:
        levels = tuple(sorted({level for one in parts if one is not None for level in one.levels}))
        if not levels:
            return None
        codes = np.full(self.n_rows, -1, np.int32)
        for one, (_, rows) in zip(parts, self._parts, strict=True):
            if one is not None:
                codes[rows] = one.recoded(levels).codes
        return Categories(codes, levels)

    def _mask(self, masks: list[Mask | None]) -> Mask | None:
        if all(mask is None for mask in masks):
            return None
        whole = np.zeros(self.n_rows, np.bool_)
        for mask, (_, rows) in zip(masks, self._parts, strict=True):
            if mask is not None:
                whole[rows] = mask
        return whole
