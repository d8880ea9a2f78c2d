"""``outputwatch incident list``: the incidents, the worst first."""

import argparse
from typing import TYPE_CHECKING

from monitor.commands.incident import add_database_arguments, opened_database
from monitor.printing import say, time_text, write_json, write_table

if TYPE_CHECKING:
    from monitor.incidents.model import Incident

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "list"
HELP = "list incidents, the worst first"
_HEADINGS = ("number", "id", "tier", "could be", "state", "since", "until", "signals", "title")
_STATES = (
    "candidate",
    "open",
    "acknowledged",
    "contained",
    "monitoring",
    "resolved",
    "in_review",
    "closed",
    "dismissed",
    "merged",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database and which states to show."""
    add_database_arguments(parser)
    parser.add_argument(
        "--state",
        action="append",
        choices=_STATES,
        metavar="STATE",
        help=f"only incidents in this state, may be repeated: {', '.join(_STATES)}",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write one row for each incident."""
    from monitor.incidents.states import IncidentState

    states = None if arguments.state is None else [IncidentState(each) for each in arguments.state]
    with opened_database(arguments) as (store, monitor):
        incidents = sorted(store.incidents(monitor).all(states), key=_order)
    if arguments.json:
        write_json([_record(incident) for incident in incidents])
    elif not incidents:
        say("no incidents")
    else:
        write_table(_HEADINGS, [_row(incident) for incident in incidents])
    return 0


def _order(incident: "Incident") -> tuple[int, int, int, str]:
    return (
        incident.tier.rank,
        incident.highest.rank,
        -incident.first_window.start_us,
        incident.id,
    )


def _state(incident: "Incident") -> str:
    proposed = incident.is_active and incident.resolution_proposed is not None
    return f"{incident.state.value}, resolution proposed" if proposed else incident.state.value


def _row(incident: "Incident") -> tuple[str, ...]:
    decided = "" if incident.confirmed else " suggested"
    return (
        str(incident.number),
        incident.short_id,
        f"{incident.tier.value}{decided}",
        incident.highest.value,
        _state(incident),
        _since(incident) or "unknown",
        _until(incident) or "unknown",
        str(len(incident.own_signals)),
        f"DRILL {incident.title}" if incident.drill else incident.title,
    )


def _since(incident: "Incident") -> str | None:
    return time_text(incident.onset_us) if incident.has_times else None


def _until(incident: "Incident") -> str | None:
    return time_text(incident.last_window.end_us) if incident.has_times else None


def _record(incident: "Incident") -> dict[str, object]:
    return {
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "drill": incident.drill,
        "state": incident.state.value,
        "resolution_proposed": incident.resolution_proposed is not None,
        "system": incident.system,
        "environment": incident.environment,
        "failure_mode": incident.failure_mode.value,
        "suggested": incident.suggested.value,
        "could_be": incident.highest.value,
        "confirmed": incident.confirmed.value if incident.confirmed else None,
        "facts": [held.fact.value for held in incident.facts],
        "score": incident.suggestion.score,
        "held": incident.suggestion.held,
        "onset": _since(incident),
        "until": _until(incident),
        "signals": len(incident.own_signals),
        "inhibited": len(incident.inhibited_signals),
    }
