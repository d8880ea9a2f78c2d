"""``outputwatch comms export``: the incident in the 29 criteria of the OECD, as JSON."""

import argparse

from monitor.commands.comms import add_case_arguments, opened_desk
from monitor.printing import say, write_json

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "export"
HELP = "write the incident in the criteria of the OECD as JSON; what persons say stays empty"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, and whether the export is to leave the house."""
    add_case_arguments(parser)
    parser.add_argument(
        "--inside",
        action="store_true",
        help="with what nobody signed as a finding; not for readers outside",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the criteria."""
    from monitor.incidents.drafts.oecd import oecd_record

    with opened_desk(arguments) as desk:
        case = desk.observe(arguments.incident)
        fields = desk.fields(case, outside=not arguments.inside)
    record = oecd_record(fields)
    write_json(record)
    if record["mandatory_missing"]:
        say(f"mandatory and missing: {', '.join(map(str, record['mandatory_missing']))}")
    return 0
