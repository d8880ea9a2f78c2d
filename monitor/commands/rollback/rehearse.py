"""``outputwatch rollback rehearse``: everything up to the switch, to know if it would work."""

import argparse

from monitor.commands.rollback import add_configuration_argument

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "rehearse"
HELP = "try plans without switching anything; the exit status is 1 unless all are ready"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration and which plans."""
    add_configuration_argument(parser)
    parser.add_argument("plan", metavar="PLAN", nargs="*", help="names of plans; all of them")


def run(arguments: argparse.Namespace) -> int:
    """Write how each rehearsal went."""
    from monitor.config.load import load_configuration
    from monitor.incidents.records import to_record
    from monitor.printing import say, write_json, write_line
    from monitor.rollbacks.plans import plan_named
    from monitor.rollbacks.rehearsal import rehearse

    configured = load_configuration(arguments.configuration).rollbacks
    chosen = [plan_named(configured, name) for name in arguments.plan] or configured
    if not chosen:
        say("no plans are configured")
    rehearsals = []
    for plan in chosen:
        say(f"rehearsing {plan.name!r}")
        rehearsals.append(rehearse(plan))
    if arguments.json:
        write_json([to_record(each) for each in rehearsals])
    else:
        for each in rehearsals:
            write_line(f"{each.plan}: {'ready' if each.ready else 'not ready'}")
            for line in (*each.reasons, *each.remarks, *each.text.splitlines()):
                write_line(f"  {line}")
    return 0 if all(each.ready for each in rehearsals) else 1
