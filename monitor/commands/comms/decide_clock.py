"""``outputwatch comms decide-clock``: counsel says whether a duty applies, and since when."""

import argparse
import json

from monitor.commands.comms import (
    add_case_arguments,
    add_person_arguments,
    occasion,
    opened_desk,
)
from monitor.commands.comms.clocks import write_running
from monitor.printing import write_json

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "decide-clock"
HELP = "record counsel's decision: the entry that a reporting clock runs from, or that none runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the duty, the decision and the person."""
    add_case_arguments(parser)
    parser.add_argument("regime", metavar="DUTY", help="for example gdpr_33")
    decision = parser.add_mutually_exclusive_group(required=True)
    decision.add_argument(
        "--entry", metavar="N", type=int, help="the entry whose time of knowing it runs from"
    )
    decision.add_argument(
        "--does-not-apply", action="store_true", help="the duty does not apply to this incident"
    )
    parser.add_argument(
        "--clock",
        metavar="NAME",
        action="append",
        default=[],
        help="a period that runs, may be repeated; without it those that have no condition",
    )
    add_person_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record the decision and write the clocks that run after it."""
    from monitor.incidents.records import canonical_json
    from monitor.incidents.regimes.clocks import running_clocks

    with opened_desk(arguments) as desk:
        case = desk.decide(
            arguments.incident,
            arguments.regime,
            occasion(desk, arguments),
            trigger_seq=arguments.entry,
            clocks=tuple(arguments.clock),
        )
    running = running_clocks(case.timeline)
    if arguments.json:
        write_json(json.loads(canonical_json(running)))
    else:
        write_running(running)
    return 0
