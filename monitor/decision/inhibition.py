"""Broken input explains a drift on it: such findings are kept, and make no incident."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from detectors.base import Finding

__all__ = ["CAUSES", "inhibitors"]

CAUSES: Final = frozenset({"missing_rate", "safety_coverage", "volume"})
"""The detectors that watch the input itself, by name."""


def inhibitors(
    findings: Sequence[Finding],
    firing: Collection[str],
    *,
    causes: Collection[str] = CAUSES,
) -> Mapping[str, tuple[str, ...]]:
    """Return, for each series that broken input explains, the series that show it.

    A finding is inhibited when it reads a column that a firing series of a cause reads too,
    in the same window and slice. A cause is never inhibited, so that two of them cannot hide
    each other.

    Parameters
    ----------
    findings
        The findings of one window and one slice.
    firing
        The series that fire in that slice, this window taken into account.
    causes
        The names of the detectors whose findings explain others.

    Returns
    -------
    Mapping
        Inhibited series to the sorted series that inhibit it; the rest do not appear.
    """
    broken = [
        (finding.series, frozenset(finding.columns))
        for finding in findings
        if finding.detector in causes and finding.series in firing
    ]
    inhibited: dict[str, tuple[str, ...]] = {}
    for finding in findings:
        if finding.detector in causes:
            continue
        by = sorted(series for series, columns in broken if columns & set(finding.columns))
        if by:
            inhibited[finding.series] = tuple(by)
    return inhibited
