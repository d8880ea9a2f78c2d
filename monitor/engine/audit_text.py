"""The result of an audit in words and as JSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detectors.base import Verdict
from monitor.engine.audit import AuditResult
from monitor.incidents.model import Incident
from monitor.incidents.wording import leading_signal
from monitor.printing import time_text

__all__ = ["audit_record", "audit_text", "rejections_text"]

_SHOWN_UNKNOWN = 5


def audit_record(result: AuditResult) -> dict[str, Any]:
    """Return the result, JSON-ready."""
    totals = result.totals
    return {
        "job": result.job_id,
        "baseline": result.baseline_id,
        "from": None if result.from_us is None else time_text(result.from_us),
        "to": None if result.to_us is None else time_text(result.to_us),
        "records": totals.n_records,
        "outputs": totals.n_rows,
        "outside_range": totals.n_records - totals.n_rows - sum(totals.rejected.values()),
        "rejected": dict(totals.rejected),
        "remarks": dict(totals.remarks),
        "windows": result.n_windows,
        "slices": result.n_slices,
        "findings": {str(verdict): n for verdict, n in sorted(result.verdicts.items())},
        "never_judged": dict(result.unknown_series),
        "evidence": None if result.replay is None else result.replay.sentence,
        "silent_since": (
            None if result.silent_since_us is None else time_text(result.silent_since_us)
        ),
        "breaks": [[time_text(a), time_text(b)] for a, b in result.breaks],
        "incidents": [incident_record(incident) for incident in result.incidents],
    }


def incident_record(incident: Incident) -> dict[str, Any]:
    """Return the first things to know of an incident, JSON-ready."""
    return {
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "failure_mode": str(incident.failure_mode),
        "suggested_tier": str(incident.suggestion.tier),
        "could_be_as_high_as": str(incident.could_be),
        "confirmed_tier": None if incident.confirmed is None else str(incident.confirmed),
        "state": str(incident.state),
        "onset": time_text(incident.onset_us) if incident.has_times else None,
        "last_window_end": (
            time_text(incident.last_window.end_us) if incident.has_times else None
        ),
        "reasons": list(incident.suggestion.reasons),
        "unknowns": list(incident.suggestion.unknowns),
        "signals": [
            {
                "series": signal.identity.series,
                "slice": signal.identity.slice,
                "windows": signal.n_windows,
                "sentence": signal.freshest.sentence,
                "inhibited_by": list(signal.inhibited_by),
            }
            for signal in incident.signals
        ],
    }


def audit_text(result: AuditResult, system: str) -> str:
    """Return the result for people: what was read, what was found, what was not seen."""
    lines = [_headline(result, system), *_unseen(result), ""]
    if not result.incidents:
        lines.append("No incidents.")
    for incident in result.incidents:
        lines += [*_incident(incident), ""]
    return "\n".join(lines).rstrip()


def rejections_text(result: AuditResult, dead_letters: Path) -> Iterator[str]:
    """Yield one line for each reason why records were not counted, and each oddity."""
    for reason, number in result.totals.rejected.items():
        yield f"not counted: {number:,} records: {reason.replace('_', ' ')}"
    for remark, number in result.totals.remarks.items():
        yield f"counted all the same: {number:,} records: {remark.replace('_', ' ')}"
    if result.n_dead_letters:
        yield f"samples of what was not counted: {dead_letters}"


def _headline(result: AuditResult, system: str) -> str:
    if not result.n_windows:
        return f"{system}: no outputs in {result.totals.n_records:,} records"
    slices = f" and {_number_of(result.n_slices, 'slice')}" if result.n_slices else ""
    span = ""
    if result.from_us is not None:
        span = f" from {time_text(result.from_us)} to {time_text(result.to_us)}"
    return (
        f"{system}: {result.totals.n_rows:,} outputs, {_number_of(result.n_windows, 'window')}"
        f"{slices}{span}, against baseline "
        f"{result.baseline_id[:12]}: {_number_of(len(result.incidents), 'incident')}"
    )


def _number_of(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _unseen(result: AuditResult) -> Iterator[str]:
    if result.replay is not None:
        yield result.replay.sentence
    if result.silent_since_us is not None:
        yield f"no outputs since {time_text(result.silent_since_us)}: not seeing is not fine"
    for from_us, to_us in result.breaks:
        yield (
            f"the log breaks off from {time_text(from_us)} to {time_text(to_us)}: that stretch "
            f"is not judged; if it should not be there, look for wrong event times"
        )
    scarce = result.verdicts.get(Verdict.INSUFFICIENT_DATA, 0)
    blind = result.verdicts.get(Verdict.CANNOT_SEE, 0)
    total = sum(result.verdicts.values())
    if scarce or blind:
        yield (
            f"of {total:,} comparisons {scarce:,} had too little data and {blind:,} could not "
            f"see what they watch"
        )
    for position, (series, reason) in enumerate(result.unknown_series.items()):
        if position == _SHOWN_UNKNOWN:
            yield f"never judged: {len(result.unknown_series) - position} more series"
            return
        yield f"never judged: {series}: {reason}"


def _incident(incident: Incident) -> Iterator[str]:
    suggestion = incident.suggestion
    could_be = ""
    if incident.could_be != suggestion.tier:
        could_be = f", could be as high as {incident.could_be}"
    number = "" if incident.number is None else f"#{incident.number} "
    yield f"{number}{incident.short_id}  {suggestion.tier} suggested{could_be}"
    yield f"  {incident.title}"
    yield f"  {leading_signal(incident.signals).worst.sentence}"
    since = f"since about {time_text(incident.onset_us)}, " if incident.has_times else ""
    yield f"  {since}{_signals(incident)}"
    for reason in suggestion.reasons:
        yield f"    - {reason}"
    for unknown in suggestion.unknowns:
        yield f"    ? {unknown}"


def _signals(incident: Incident) -> str:
    own, inhibited = len(incident.own_signals), len(incident.inhibited_signals)
    words = _number_of(own, "signal")
    return f"{words}, {inhibited} more explained by broken input" if inhibited else words
