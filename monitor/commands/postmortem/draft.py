"""``outputwatch postmortem draft``: the post-mortem as far as it is known, as Markdown."""

import argparse

from monitor.commands.comms import add_case_arguments, opened_desk
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "draft"
HELP = "write the post-mortem as Markdown: filled where recorded, marked where persons write"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident."""
    add_case_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the post-mortem."""
    from monitor.incidents.postmortem.report import missing, post_mortem

    with opened_desk(arguments) as desk:
        case = desk.observe(arguments.incident)
        text = post_mortem(case.incident, case.timeline, desk.fields(case))
    if arguments.json:
        write_json({"markdown": text, "missing": missing(case.incident, case.timeline)})
    else:
        write_line(text)
    return 0
