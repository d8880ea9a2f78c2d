"""``outputwatch incident link``: how it stands to another one."""

import argparse

from monitor.commands.incident import add_act_arguments, occasion, response_desk, tell

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "link"
HELP = "link an incident to another one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument("--to", required=True, metavar="ID", help="the other one")
    parser.add_argument(
        "--as",
        dest="link",
        required=True,
        choices=("duplicate", "caused_by", "recurrence", "same_release"),
        help="how it stands to the other one",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.organizing import Relate
    from monitor.incidents.states import LinkKind

    on = occasion(arguments)
    with response_desk(arguments, arguments.incident) as desk:
        other = desk.incidents.find(arguments.to)
        act = Relate(kind=LinkKind(arguments.link), other_id=other.id)
        tell(arguments, desk.act(arguments.incident, act, on))
    return 0
