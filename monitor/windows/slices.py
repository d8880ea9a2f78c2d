"""Slices of traffic: every event is counted in ``all`` and in one slice of each slicing."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.columns import Categories, Columns

__all__ = [
    "ALL",
    "OTHER_VALUES",
    "Slicing",
    "gather",
    "keep_largest",
    "largest",
    "other_label",
    "slicing_name",
    "slicing_of",
]

ALL = "all"
MISSING_VALUE = "(missing)"
OTHER_VALUES = "(other values)"

# A parenthesis is kept for the two names above, which no value of a column can then take.
# Control characters would reach a terminal, where they can move the cursor and hide text.
_CONTROL = (*range(0x20), *range(0x7F, 0xA0))
_ESCAPES = str.maketrans({chr(code): f"%{code:02X}" for code in (*map(ord, "%,=("), *_CONTROL)})


@dataclass(frozen=True, slots=True)
class Slicing:
    """The slices of one slicing among some rows.

    Parameters
    ----------
    labels
        The slices that occur, for example ``region=EU``.
    codes
        The position of each row's slice in `labels`, int64 of shape (n_rows,).
    """

    labels: tuple[str, ...]
    codes: npt.NDArray[np.int64]

    def gathered(self, known: Container[str]) -> "Slicing":
        """Return the slicing with every label that is not `known` put under other values."""
        renamed = [
            label if label in known else other_label(slicing_name(label)) for label in self.labels
        ]
        labels = tuple(sorted(set(renamed)))
        position = np.array([labels.index(label) for label in renamed], dtype=np.int64)
        return Slicing(labels, position[self.codes])


def slicing_of(columns: Columns, by: tuple[str, ...]) -> Slicing:
    """Return the slices that `by` cuts the rows into; no columns means one slice, ``all``."""
    codes = np.zeros(columns.n_rows, dtype=np.int64)
    if not by:
        return Slicing((ALL,), codes)
    levels: list[tuple[str, ...]] = []
    for name in by:
        field = columns.fields.get(name)
        if not isinstance(field, Categories):
            field = Categories(np.full(columns.n_rows, -1, dtype=np.int32), ())
        escaped = (level.translate(_ESCAPES) for level in field.levels)
        levels.append((*escaped, MISSING_VALUE))
        value = np.where(field.codes < 0, len(field.levels), field.codes)
        codes = codes * len(levels[-1]) + value
    present, compact = np.unique(codes, return_inverse=True)
    labels = tuple(_label(by, levels, int(code)) for code in present)
    return Slicing(labels, compact.astype(np.int64, copy=False))


def _label(by: tuple[str, ...], levels: list[tuple[str, ...]], code: int) -> str:
    parts: list[str] = []
    for name, values in zip(reversed(by), reversed(levels), strict=True):
        code, position = divmod(code, len(values))
        parts.append(f"{name}={values[position]}")
    return ",".join(reversed(parts))


def slicing_name(label: str) -> str:
    """Return the slicing that a slice belongs to: its columns, joined by commas.

    Examples
    --------
    >>> slicing_name("region=EU,language=en")
    'region,language'
    """
    if label == ALL:
        return ""
    return ",".join(part.partition("=")[0] for part in label.split(","))


def other_label(name: str) -> str:
    """Return the slice that gathers what `keep_largest` leaves over.

    Examples
    --------
    >>> other_label("region,language")
    'region=(other values),language=(other values)'
    """
    return ",".join(f"{column}={OTHER_VALUES}" for column in name.split(","))


def largest(sizes: Mapping[str, int], max_values: int) -> frozenset[str]:
    """Return ``all`` and the `max_values` largest slices of each slicing, ties by label.

    Parameters
    ----------
    sizes
        Rows by slice label.
    max_values
        How many slices of each slicing to keep.
    """
    slicings: dict[str, list[str]] = {}
    for label in sizes:
        slicings.setdefault(slicing_name(label), []).append(label)
    kept: set[str] = set()
    for labels in slicings.values():
        ranked = sorted(labels, key=lambda label: (-sizes[label], label))
        kept.update(ranked[:max_values])
    return frozenset(kept)


def keep_largest(
    slices: Mapping[str, npt.NDArray[np.int64]], max_values: int
) -> dict[str, npt.NDArray[np.int64]]:
    """Return one window's counts with each slicing cut to its largest slices.

    Parameters
    ----------
    slices
        Counts by slice label, each int64 of shape (n_cells,); cell 0 counts the rows.
    max_values
        How many slices of each slicing stay; the others are added into one.

    Returns
    -------
    dict
        In order of label.
    """
    sizes = {label: int(counts[0]) for label, counts in slices.items()}
    return gather(slices, largest(sizes, max_values))


def gather(
    slices: Mapping[str, npt.NDArray[np.int64]], kept: Container[str]
) -> dict[str, npt.NDArray[np.int64]]:
    """Return counts by slice with all slices that are not `kept` added under other values."""
    result: dict[str, npt.NDArray[np.int64]] = {}
    for label, counts in slices.items():
        name = label if label in kept else other_label(slicing_name(label))
        known = result.get(name)
        result[name] = counts if known is None else known + counts
    return dict(sorted(result.items()))
