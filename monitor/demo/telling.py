"""The demo's result in words: one screen for somebody who has never seen a monitor."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.demo.outcome import Outcome, Recovered
from monitor.demo.scenario import START_US
from monitor.incidents.model import Incident

__all__ = ["outcome_record", "outcome_text"]

_WIDTH = 96
_DAY_US = 86_400_000_000


def outcome_text(
    outcome: Outcome,
    incidents: Sequence[Incident],
    configurations: Mapping[str, Path],
) -> str:
    """Return what was found, what was planted, and commands to go on with.

    Parameters
    ----------
    outcome
        The truth, matched.
    incidents
        All incidents; they are told in order of time.
    configurations
        The configuration file of each system.
    """
    told = sorted(incidents, key=lambda one: (one.first_window, one.system, one.id))
    numbers = {incident.id: number for number, incident in enumerate(told, start=1)}
    lines = ["WHAT THE MONITOR FOUND"]
    for incident in told:
        lines += _incident(incident, numbers[incident.id])
    lines += ["", "WHAT WAS PLANTED"]
    for recovered in outcome.planted:
        lines += _planted(recovered, numbers)
    lines += ["", _score(outcome), "", "GO ON WITH", *_commands(configurations)]
    return "\n".join(lines)


def _incident(incident: Incident, number: int) -> Iterator[str]:
    suggestion = incident.suggestion
    could_be = f", could be {incident.could_be}" if incident.could_be != suggestion.tier else ""
    yield (
        f"{number:>2}  {suggestion.tier}{could_be}  {incident.failure_mode}  {incident.system}  "
        f"since day {_day(incident.first_window.start_us)}"
    )
    yield from _wrapped(incident.title, indent=4)
    worst = max(incident.own_signals, key=lambda signal: signal.worst.size)
    yield from _wrapped(worst.worst.sentence, indent=4)
    others = len(incident.own_signals) - 1
    if others:
        names = {signal.identity.series for signal in incident.own_signals if signal != worst}
        yield from _wrapped(f"also: {', '.join(sorted(names))}", indent=4)
    for reason in suggestion.reasons:
        yield from _wrapped(f"- {reason}", indent=4)


def _planted(recovered: Recovered, numbers: Mapping[str, int]) -> Iterator[str]:
    planted = recovered.planted
    mark = "found " if recovered.found else "MISSED"
    text = f"day {_day(planted.start_us)}  {planted.system}: {planted.title}"
    if recovered.first_us is not None:
        shown = ", ".join(str(numbers[incident.id]) for incident in recovered.incidents)
        text += f" (since day {_day(recovered.first_us)}: incident {shown})"
    yield from _wrapped(f"{mark}  {text}", indent=1, hang=17)


def _score(outcome: Outcome) -> str:
    others = len(outcome.unexplained)
    false_alarms = (
        "nothing else was called an incident"
        if not others
        else (
            f"{others} signals are explained by nothing planted: "
            + ", ".join(sorted({signal.identity.series for _, signal in outcome.unexplained}))
        )
    )
    return f"{outcome.n_found} of {len(outcome.planted)} planted incidents found; {false_alarms}."


def _commands(configurations: Mapping[str, Path]) -> Iterator[str]:
    for path in configurations.values():
        yield f"  outputwatch incident list {path}"
    path = next(iter(configurations.values()))
    yield f"  outputwatch report evidently {path} --window 2026-09-20 --output drift.html"
    yield f"  outputwatch baseline show {path} promoted"


def _wrapped(text: str, *, indent: int, hang: int | None = None) -> list[str]:
    later = indent if hang is None else hang
    hanging = later + 2 if text.startswith("- ") else later
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * hanging
    )


def _day(us: int) -> int:
    """Return the day of the demo, 1 for the first."""
    return (us - START_US) // _DAY_US + 1


def outcome_record(outcome: Outcome, incidents: Sequence[Incident]) -> dict[str, Any]:
    """Return the same, JSON-ready."""
    return {
        "incidents": [
            {
                "id": incident.id,
                "system": incident.system,
                "failure_mode": incident.failure_mode.value,
                "tier": incident.suggestion.tier.value,
                "could_be": incident.could_be.value,
                "title": incident.title,
                "reasons": list(incident.suggestion.reasons),
                "first_day": _day(incident.first_window.start_us),
                "series": sorted({signal.identity.series for signal in incident.own_signals}),
            }
            for incident in incidents
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
        "unexplained": sorted({signal.identity.series for _, signal in outcome.unexplained}),
    }
