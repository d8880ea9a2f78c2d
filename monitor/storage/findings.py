"""Findings as rows: the numbers people sort by, and the whole as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baselines.summary import WindowKey
from detectors.base import Finding
from monitor.incidents.records import from_record, to_record

__all__ = ["StoredFinding", "finding_from_row", "finding_row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """A finding, the window it is about and the id that its inputs give it.

    Parameters
    ----------
    id
        A sha256 over baseline, window and options, in hexadecimal: given, not made here.
    job_id
        The audit or the monitor that made it.
    key
        The window.
    finding
        What the detector found.
    """

    id: str
    job_id: str
    key: WindowKey
    finding: Finding


def finding_row(stored: StoredFinding) -> dict[str, Any]:
    """Return the row of a finding."""
    finding = stored.finding
    effect, departure = finding.effect, finding.departure
    return {
        "id": stored.id,
        "job_id": stored.job_id,
        "series": finding.series,
        "slice": stored.key.slice,
        "start_us": stored.key.start_us,
        "end_us": stored.key.end_us,
        "ordinal": stored.key.ordinal,
        "detector": finding.detector,
        "failure_mode": str(finding.failure_mode),
        "verdict": str(finding.verdict),
        "n_rows": finding.n_rows,
        "tolerance": finding.tolerance,
        "effect": effect.value if effect else None,
        "low": effect.low if effect else None,
        "high": effect.high if effect else None,
        "departure": departure.value if departure else None,
        "departure_low": departure.low if departure else None,
        "departure_high": departure.high if departure else None,
        "body": to_record(finding),
    }


def finding_from_row(row: Mapping[Any, Any]) -> StoredFinding:
    """Return the finding of a row."""
    return StoredFinding(
        id=row["id"],
        job_id=row["job_id"],
        key=WindowKey(row["start_us"], row["end_us"], row["slice"], row["ordinal"]),
        finding=from_record(Finding, row["body"]),
    )
