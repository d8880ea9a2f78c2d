"""``outputwatch outbox list``: the notices that wait, were sent or were given up."""

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from monitor.commands.outbox import opened_outbox
from monitor.printing import say, time_text, write_json, write_table

if TYPE_CHECKING:
    from monitor.storage.outbox import OutboxRow

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "list"
HELP = "list the notices that wait or were given up"
_HEADINGS = ("id", "state", "channel", "kind", "incident", "written", "attempts", "due", "error")
_STATES = ("waiting", "sent", "dead")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration and which states to show."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument(
        "--state",
        action="append",
        choices=_STATES,
        metavar="STATE",
        help="only notices in this state, may be repeated: waiting, sent, dead "
        "(default: waiting and dead)",
    )
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write one row for each notice."""
    from monitor.storage.outbox import OutboxState

    states = [OutboxState(each) for each in arguments.state or ("waiting", "dead")]
    with opened_outbox(arguments) as (_, configuration, outbox):
        rows = outbox.rows(states)
    known = {each.channel for each in configuration.notifiers.channels}
    if arguments.json:
        write_json([_record(row, known) for row in rows])
    elif not rows:
        say("no notices")
    else:
        write_table(_HEADINGS, [_row(row, known) for row in rows])
    return 0


def _record(row: "OutboxRow", known: set[str]) -> dict[str, Any]:
    return {**dataclasses.asdict(row), "channel_is_configured": row.channel in known}


def _row(row: "OutboxRow", known: set[str]) -> tuple[str, ...]:
    channel = row.channel if row.channel in known else f"{row.channel} (not configured)"
    return (
        row.id[:12],
        row.state.value,
        channel,
        row.kind,
        (row.incident_id or "")[:12],
        time_text(row.created_us),
        str(row.attempts),
        time_text(row.due_us) if row.state.value == "waiting" else "",
        row.last_error or "",
    )
