"""``outputwatch comms sent``: note that persons sent an approved text by other means."""

import argparse

from monitor.commands.comms import (
    add_audience_argument,
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
    subject,
)
from monitor.commands.incident import time_us
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "sent"
HELP = "note that an approved text was sent by hand, and to how many"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the draft, the person and the recipients."""
    add_case_arguments(parser)
    add_audience_argument(parser)
    add_person_arguments(parser)
    parser.add_argument(
        "--recipients", metavar="N", type=int, required=True, help="how many got it"
    )
    parser.add_argument("--how", metavar="TEXT", required=True, help="by what means")
    parser.add_argument(
        "--clock",
        metavar="NAME",
        action="append",
        default=[],
        help="a reporting clock that this meets, may be repeated",
    )
    parser.add_argument(
        "--next-update", metavar="TIME", help="by when the text promises the next one, RFC 3339"
    )


def run(arguments: argparse.Namespace) -> int:
    """Record that it was sent."""
    about = subject(arguments)
    with opened_desk(arguments) as desk:
        draft = desk.sent(
            arguments.incident,
            about,
            occasion(desk, arguments),
            recipients=arguments.recipients,
            how=arguments.how,
            clocks=arguments.clock,
            next_update_us=time_us("--next-update", arguments.next_update),
        )
    if arguments.json:
        write_json({"subject": about, "version": draft.version, "hash": draft.hash_to_send})
    else:
        write_line(f"noted: {about}, version {draft.version}, sent to {arguments.recipients}")
    return 0
