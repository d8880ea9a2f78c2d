"""The demo's result in words: one screen for somebody who has never seen a monitor."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from monitor.demo.outcome import Outcome, Recovered
from monitor.demo.running import DemoResult
from monitor.demo.scenario import BASELINE_DAYS, LOAN_SCORER, START_US, SUPPORT_ASSISTANT
from monitor.demo.telling_response import responded_record, responded_text
from monitor.incidents.model import Incident
from monitor.incidents.observations import Signal, SignalKind
from monitor.incidents.wording import leading_signal

__all__ = ["demo_record", "demo_text"]

_WIDTH = 99
_DAY_US = 86_400_000_000


def demo_text(result: DemoResult) -> str:
    """Return what was found, what was planted, and commands to go on with."""
    lines = ["", *_wrapped(_opening(result), indent=0), "", "WHAT THE MONITOR FOUND"]
    for incident in result.incidents:
        lines += _incident(incident)
    lines += ["", "WHAT WAS PLANTED"]
    for recovered in result.outcome.planted:
        lines += _planted(recovered)
    lines += ["", *_wrapped(_score(result.outcome), indent=0)]
    if result.responded is not None:
        path = result.configurations[SUPPORT_ASSISTANT]
        lines += ["", *responded_text(result.responded, path)]
    lines += ["", "GO ON WITH", *_commands(result.configurations)]
    return "\n".join(lines)


def _opening(result: DemoResult) -> str:
    events = " and ".join(f"{n:,} of {system}" for system, n in result.written.events.items())
    return (
        f"A made-up month: {events}. Days 1 to {BASELINE_DAYS} are the baseline; each day after "
        f"them was compared with it. Severity is a suggestion: people decide."
    )


def _incident(incident: Incident) -> Iterator[str]:
    suggestion = incident.suggestion
    could_be = f" (could be {incident.could_be})" if incident.could_be != suggestion.tier else ""
    yield (
        f" {incident.system} #{incident.number}  {suggestion.tier}{could_be}, "
        f"{_mode(incident)}, found day {_day(incident.first_window.start_us)}"
    )
    lead = leading_signal(incident.signals)
    part = "" if lead.identity.slice == "all" else f"{lead.identity.slice}: "
    yield from _wrapped(f"{part}{lead.worst.sentence}", indent=4)
    reasons = "; ".join(map(_short, suggestion.reasons))
    yield from _wrapped(f"why {suggestion.tier}: {reasons}", indent=4)
    others = _others(incident, lead)
    if others:
        yield from _wrapped(f"with it: {others}", indent=4)


def _short(reason: str) -> str:
    """Return a reason without the name of its axis; floors and caps keep their word."""
    axis, _, text = reason.partition(": ")
    return text if text and not axis.startswith(("floor", "cap")) else reason


def _mode(incident: Incident) -> str:
    if incident.kind is SignalKind.CANNOT_SEE:
        return f"{incident.failure_mode.value}, cannot see"
    if incident.kind is SignalKind.LOST:
        return f"{incident.failure_mode.value}, records lost"
    return incident.failure_mode.value


def _others(incident: Incident, lead: Signal) -> str:
    """Return the other series of an incident, each with the slices that it shows in."""
    slices: dict[str, list[str]] = {}
    for signal in incident.own_signals:
        if signal is not lead:
            slices.setdefault(signal.identity.series, []).append(signal.identity.slice)
    return ", ".join(f"{series}{_on(where)}" for series, where in slices.items())


def _on(slices: list[str]) -> str:
    if slices == ["all"]:
        return ""
    return f" on {slices[0]}" if len(slices) == 1 else f" in {len(slices)} slices"


def _planted(recovered: Recovered) -> Iterator[str]:
    planted = recovered.planted
    found = f"MISSED ({planted.system})"
    if recovered.first_us is not None:
        numbers = " and ".join(f"#{incident.number}" for incident in recovered.incidents)
        found = f"found day {_day(recovered.first_us)} as {planted.system} {numbers}"
    text = f"day {_day(planted.start_us)}, {found}: {planted.title}"
    yield from _wrapped(text, indent=1, hang=4)


def _score(outcome: Outcome) -> str:
    names = sorted({signal.identity.series for _, signal in outcome.unexplained})
    rest = f"nothing planted explains: {', '.join(names)}" if names else "no false alarm"
    return f"{outcome.n_found} of {len(outcome.planted)} planted incidents found; {rest}."


def _commands(configurations: Mapping[str, Path]) -> Iterator[str]:
    """Yield commands to copy, each of which works as it stands."""
    loans, assistant = configurations[LOAN_SCORER], configurations[SUPPORT_ASSISTANT]
    yield f"  outputwatch incident list {assistant}"
    yield f"  outputwatch incident show {loans} 1"
    yield f"  outputwatch baseline show {loans} promoted"
    yield f"  outputwatch report evidently {loans} --window 2026-09-20 --output drift.html"


def _wrapped(text: str, *, indent: int, hang: int | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if hang is None else hang),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _day(us: int) -> int:
    """Return the day of the demo, 1 for the first."""
    return (us - START_US) // _DAY_US + 1


def demo_record(result: DemoResult) -> dict[str, Any]:
    """Return the same, JSON-ready."""
    outcome = result.outcome
    return {
        "events": result.written.events,
        "configurations": {system: str(path) for system, path in result.configurations.items()},
        "incidents": [
            {
                "id": incident.id,
                "number": incident.number,
                "system": incident.system,
                "failure_mode": incident.failure_mode.value,
                "tier": incident.suggestion.tier.value,
                "could_be": incident.could_be.value,
                "title": incident.title,
                "reasons": list(incident.suggestion.reasons),
                "first_day": _day(incident.first_window.start_us),
                "series": sorted({signal.identity.series for signal in incident.own_signals}),
            }
            for incident in result.incidents
        ],
        "planted": [
            {
                "key": recovered.planted.key,
                "day": _day(recovered.planted.start_us),
                "found": recovered.found,
                "first_day": None if recovered.first_us is None else _day(recovered.first_us),
                "incidents": [incident.id for incident in recovered.incidents],
            }
            for recovered in outcome.planted
        ],
        "response": None if result.responded is None else responded_record(result.responded),
        "unexplained": sorted({signal.identity.series for _, signal in outcome.unexplained}),
    }
