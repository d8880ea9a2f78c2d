"""``outputwatch incident report``: suggestions beside decisions, and what a policy would alter."""

import argparse
from typing import TYPE_CHECKING

from monitor.commands.incident import add_database_arguments, opened_database
from monitor.printing import write_json, write_line, write_table

if TYPE_CHECKING:
    from monitor.incidents.looking_back import Month

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "report"
HELP = "look back: suggestions beside decisions, or what a changed policy would alter"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database, the month and the policy."""
    add_database_arguments(parser)
    parser.add_argument(
        "--month", metavar="2026-10", help="incidents that became known in this month, UTC"
    )
    parser.add_argument(
        "--policy",
        metavar="FILE",
        help="a severity policy: tell which past incidents it would move, and change nothing",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write what the incidents show."""
    from monitor.incidents.looking_back import Month

    month = None if arguments.month is None else Month.parsed(arguments.month)
    if arguments.policy is not None:
        return _policy(arguments, month)
    from monitor.engine.looking_back import looked_back
    from monitor.incidents.looking_back_text import looking_back_record, looking_back_sections

    with opened_database(arguments) as (store, monitor):
        result = looked_back(store, monitor, month)
    if arguments.json:
        write_json(looking_back_record(result))
        return 0
    for number, section in enumerate(looking_back_sections(result)):
        if number:
            write_line("")
        for line in section.lines:
            write_line(line)
        if section.rows:
            write_table(section.headings, section.rows)
    return 0


def _policy(arguments: argparse.Namespace, month: "Month | None") -> int:
    from monitor.config.severity import load_severity_policy
    from monitor.engine.looking_back import changed_by
    from monitor.engine.policy_change_text import (
        HEADINGS,
        policy_change_lines,
        policy_change_record,
        policy_change_rows,
    )

    policy = load_severity_policy(arguments.policy)
    with opened_database(arguments) as (store, monitor):
        change = changed_by(policy, store, monitor, month)
    if arguments.json:
        write_json(policy_change_record(change))
        return 0
    for line in policy_change_lines(change):
        write_line(line)
    if change.moves:
        write_line("")
        write_table(HEADINGS, policy_change_rows(change))
    return 0
