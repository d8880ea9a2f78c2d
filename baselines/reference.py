"""What a window is compared with: one slice of a baseline."""

from dataclasses import dataclass

from baselines.schema import Schema
from baselines.summary import Window, WindowSummary

__all__ = ["Reference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One slice of a baseline, as detectors see it.

    Parameters
    ----------
    schema
        The columns, their roles, units and positive levels.
    summary
        The counts of all reference rows of the slice.
    history
        The baseline's own windows of the slice, in order of time: how much normal varies.
    slice
        Which slice the counts are of; ``all`` when the slice had too few reference rows.
    """

    schema: Schema
    summary: WindowSummary
    history: tuple[Window, ...] = ()
    slice: str = "all"
