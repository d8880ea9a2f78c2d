"""Which codes of an outcome's axis are positive, and which carry a value at all."""

import numpy as np
import numpy.typing as npt

from baselines.checks import CheckFlag, CheckStatus, outcome_mask
from baselines.layout import Axis, CategoryAxis
from baselines.schema import Schema
from detectors.wording import plain

__all__ = [
    "Mask",
    "counted_codes",
    "knows_positive",
    "positive_codes",
    "positive_levels",
    "why_no_positive",
]

Mask = npt.NDArray[np.bool_]


def positive_levels(schema: Schema, column: str, level: str | None = None) -> tuple[str, ...]:
    """Return the levels of `column` that count as positive; `level` overrides the schema's.

    Empty for the verdicts of a safety check, where flagged is positive.
    """
    if level is not None:
        return (level,)
    return schema[column].positive_levels if column in schema else ()


def positive_codes(axis: Axis, levels: tuple[str, ...]) -> Mask:
    """Return which codes of `axis` are positive, of shape (axis.size,).

    For a safety check without `levels`: flagged, by a filter that gave a verdict.
    """
    codes = np.zeros(axis.size, dtype=np.bool_)
    if not isinstance(axis, CategoryAxis):
        return codes
    if axis.is_safety_check and not levels:
        return outcome_mask(
            statuses=frozenset({CheckStatus.OK}), flags=frozenset({CheckFlag.FLAGGED})
        )
    codes[: axis.other] = [level in levels for level in axis.levels]
    return codes


def counted_codes(axis: Axis) -> Mask:
    """Return which codes of `axis` carry a value, of shape (axis.size,).

    A level that the baseline did not know has a value; a safety check that gave no verdict
    has none.
    """
    if isinstance(axis, CategoryAxis) and axis.is_safety_check:
        return outcome_mask(
            statuses=frozenset({CheckStatus.OK}),
            flags=frozenset({CheckFlag.FLAGGED, CheckFlag.CLEAN}),
        )
    codes = np.zeros(axis.size, dtype=np.bool_)
    codes[axis.values] = True
    return codes


def knows_positive(axis: Axis, levels: tuple[str, ...]) -> bool:
    """Return whether the axis has a code for a positive outcome."""
    return bool(positive_codes(axis, levels).any())


def why_no_positive(axis: Axis, levels: tuple[str, ...]) -> str | None:
    """Return a sentence if the axis has no code for a positive outcome, else None."""
    if knows_positive(axis, levels):
        return None
    wanted = " or ".join(repr(plain(level)) for level in levels)
    return f"the baseline knows no positive level of {plain(axis.column)}, which is {wanted}"
