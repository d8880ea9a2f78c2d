"""The result of a backtest in words, as a table and as JSON."""

from collections.abc import Iterator
from typing import Any

from monitor.config.decision import DecisionRuleKind
from monitor.engine.backtest import Backtest, QuietPart, Trial
from monitor.engine.incident_pairs import IncidentPair, worst_tier
from monitor.incidents.model import Incident
from monitor.printing import span_text, time_text

__all__ = ["HEADINGS", "backtest_lines", "backtest_record", "incident_rows", "policy_notes"]

HEADINGS = ("change", "old: raised, tier", "new: raised, tier", "delay")


def backtest_record(result: Backtest) -> dict[str, Any]:
    """Return the result, JSON-ready."""
    return {
        "baseline": result.baseline_id,
        "windows": result.n_windows,
        "windows_cut_short": result.n_cut_short,
        "audits": result.n_audits,
        "from": None if result.from_us is None else time_text(result.from_us),
        "to": None if result.to_us is None else time_text(result.to_us),
        "old": _trial_record(result.old),
        "new": _trial_record(result.new),
        "incidents": [_pair_record(result, pair) for pair in result.pairs],
    }


def _trial_record(trial: Trial) -> dict[str, Any]:
    quiet = trial.quiet
    return {
        "configuration": str(trial.configuration.path),
        "series": [entry.series for entry in trial.configuration.detectors],
        "not_judged": dict(trial.left_out),
        "in_shadow": dict(trial.in_shadow),
        "incidents": len(trial.incidents),
        "alarms": trial.n_alarms,
        "quiet": {
            "days": quiet.days,
            "alarms": quiet.alarms,
            "incidents": quiet.incidents,
            "alarms_per_90_days": quiet.per_90_days(quiet.alarms),
            "incidents_per_90_days": quiet.per_90_days(quiet.incidents),
        },
    }


def _pair_record(result: Backtest, pair: IncidentPair) -> dict[str, Any]:
    old, new = worst_tier(pair.old), worst_tier(pair.new)
    return {
        "title": pair.title,
        "in": "both" if pair.is_common else "old" if pair.old else "new",
        "old": [_incident_record(result, each) for each in pair.old],
        "new": [_incident_record(result, each) for each in pair.new],
        "delay_windows": result.delay(pair),
        "tier_changed": old is not new if pair.is_common else None,
    }


def _incident_record(result: Backtest, incident: Incident) -> dict[str, Any]:
    return {
        "title": incident.title,
        "suggested_tier": str(incident.tier),
        "window": result.numbers[incident.first_window] + 1,
        "raised": time_text(incident.first_window.end_us) if incident.has_times else None,
        "onset": time_text(incident.onset_us) if incident.has_times else None,
        "resolved": (
            time_text(incident.resolved_us)
            if incident.has_times and incident.resolved_us is not None
            else None
        ),
        "signals": [
            {"series": signal.identity.series, "slice": signal.identity.slice}
            for signal in incident.own_signals
        ],
    }


def backtest_lines(result: Backtest) -> Iterator[str]:
    """Yield what was judged, and what became of it in short."""
    span = span_text(result.from_us, result.to_us, before=", ")
    windows, audits = _counted(result.n_windows, "window"), _counted(result.n_audits, "audit")
    cut = f" ({result.n_cut_short} cut short)" if result.n_cut_short else ""
    yield f"{windows}{cut} of {audits}{span}, baseline {result.baseline_id[:12]}"
    common = sum(pair.is_common for pair in result.pairs)
    only_old = sum(not pair.new for pair in result.pairs)
    only_new = sum(not pair.old for pair in result.pairs)
    yield f"changes: {common} in both, {only_old} only in the old, {only_new} only in the new"
    for name, trial in (("old", result.old), ("new", result.new)):
        yield (
            f"{name}: {_counted(len(trial.incidents), 'incident')}, "
            f"{_counted(trial.n_alarms, 'alarm')}; {_quiet_text(trial.quiet)}; "
            f"{_promise(trial)}"
        )


def _promise(trial: Trial) -> str:
    """Return what the policy says of false alarms."""
    rules = {entry.rule for entry in trial.configuration.detectors}
    if DecisionRuleKind.EVIDENCE not in rules:
        return "no false-alarm guarantee"
    budget = f"budget {trial.configuration.decision.false_alarm_budget}"
    return budget if len(rules) == 1 else f"{budget}, without guarantee where a threshold decides"


def _quiet_text(quiet: QuietPart) -> str:
    incidents, alarms = quiet.per_90_days(quiet.incidents), quiet.per_90_days(quiet.alarms)
    if incidents is None or alarms is None:
        return "no quiet part"
    return (
        f"quiet part of {quiet.days:.4g} days: {_counted(quiet.incidents, 'incident')} and "
        f"{_counted(quiet.alarms, 'alarm')} ({incidents:.3g} and {alarms:.3g} per 90 days)"
    )


def policy_notes(result: Backtest) -> Iterator[str]:
    """Yield what either policy could not judge, and why."""
    for name, trial in (("old", result.old), ("new", result.new)):
        for series, table in trial.left_out.items():
            yield f"{name}: {series} is not judged: no table {table!r} in the stored windows"
        for series, reason in trial.in_shadow.items():
            yield f"{name}: {series} is {reason}"


def incident_rows(result: Backtest) -> list[tuple[str, ...]]:
    """Return one row for each change, as `HEADINGS` say."""
    return [
        (pair.title, _side(result, pair.old), _side(result, pair.new), _delay(result, pair))
        for pair in result.pairs
    ]


def _side(result: Backtest, incidents: tuple[Incident, ...]) -> str:
    if not incidents:
        return "-"
    first = incidents[0]
    raised = f"window {result.numbers[first.first_window] + 1}"
    if first.has_times:
        raised = time_text(first.first_window.end_us)
    more = f" ({len(incidents)} incidents)" if len(incidents) > 1 else ""
    return f"{raised}, {worst_tier(incidents)}{more}"


def _delay(result: Backtest, pair: IncidentPair) -> str:
    delay = result.delay(pair)
    if delay is None:
        return "only new" if pair.new else "only old"
    if delay == 0:
        return "none"
    return f"{_counted(abs(delay), 'window')} {'later' if delay > 0 else 'earlier'}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
