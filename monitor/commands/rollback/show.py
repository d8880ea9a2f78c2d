"""``outputwatch rollback show``: one rollback, its dry run and its steps."""

import argparse
import json

from monitor.commands.rollback import (
    add_configuration_argument,
    add_rollback_argument,
    opened_desk,
    tell,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "show"
HELP = "show what a rollback would change or has changed, step by step"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the rollback."""
    add_configuration_argument(parser)
    add_rollback_argument(parser)
    parser.add_argument(
        "--evidence",
        action="store_true",
        help="also what was in force and served before, out of the incident's vault",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write one rollback."""
    from monitor.incidents.records import to_record
    from monitor.printing import time_text, write_json, write_line, write_table
    from monitor.rollbacks.wording import rollback_record, step_words

    with opened_desk(arguments) as desk:
        execution = desk.load(arguments.rollback)
        steps = desk.steps(execution.id)
        kept = desk.evidence(execution.id) if arguments.evidence else ()
    if arguments.json:
        told = [{**to_record(step), "at": time_text(step.at_us)} for step in steps]
        evidence = {"evidence": [json.loads(each) for each in kept]} if kept else {}
        write_json({**rollback_record(execution), "steps": told, **evidence})
        return 0
    tell(arguments, execution)
    write_line("")
    write_table(
        ("at", "step", "what"),
        [(time_text(step.at_us), step.kind.value, step_words(step)) for step in steps],
    )
    for each in kept:
        write_line(f"\n{json.dumps(json.loads(each), indent=2, ensure_ascii=False)}")
    return 0
