"""``outputwatch incident note``: words and actions, statements and findings."""

import argparse

from monitor.commands.incident import acted, add_act_arguments, occasion, response_desk, tell

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "note"
HELP = "write down words, an action or a statement"
_KINDS = (
    "note",
    "action_taken",
    "action_item",
    "action_item_done",
    "belief_stated",
    "finding_signed",
    "determined",
    "cause_stated",
    "causal_link_stated",
    "harm_stated",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument("--text", required=True, metavar="TEXT", help="the words")
    parser.add_argument(
        "--kind",
        choices=_KINDS,
        default="note",
        metavar="KIND",
        help=f"what it is: {', '.join(_KINDS)}",
    )
    parser.add_argument(
        "--private",
        metavar="ABOUT",
        help="keep the words encrypted in the vault; the timeline says only ABOUT",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.recording import WriteDown
    from monitor.incidents.timeline import EntryKind

    if arguments.private is None:
        act = WriteDown(kind=EntryKind(arguments.kind), text=arguments.text)
        return acted(arguments, act)
    on = occasion(arguments)
    with response_desk(arguments, arguments.incident) as desk:
        desk.seal(arguments.incident, arguments.text, arguments.private, on)
        tell(arguments, desk.incidents.find(arguments.incident))
    return 0
