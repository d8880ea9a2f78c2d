"""``outputwatch rollback arm``: consent in advance, for one rule and one use."""

import argparse

from monitor.commands.rollback import (
    add_configuration_argument,
    add_person_arguments,
    add_rollback_argument,
    opened_desk,
    person,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "arm"
HELP = "let the monitor carry out what was agreed to when a series breaches; once"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the rollback, the rule, for how long, and the person."""
    add_configuration_argument(parser)
    add_rollback_argument(parser)
    parser.add_argument(
        "--rule", required=True, metavar="SERIES", help="the monitored series, by its name"
    )
    parser.add_argument(
        "--hours",
        type=float,
        default=24.0,
        metavar="N",
        help="how long it holds (24), 168 at most",
    )
    add_person_arguments(parser, reason=False)


def run(arguments: argparse.Namespace) -> int:
    """Write the consent.

    Raises
    ------
    OutputwatchError
        If no such series is monitored, or the hours are out of range.
    """
    from monitor.errors import OutputwatchError
    from monitor.printing import time_text, write_json, write_line
    from monitor.rollbacks.wording import armed_record

    with opened_desk(arguments) as desk:
        _check_rule(arguments)
        try:
            armed = desk.arm(
                arguments.rollback, person(arguments), rule=arguments.rule, hours=arguments.hours
            )
        except ValueError as error:
            raise OutputwatchError(str(error)) from error
    if arguments.json:
        write_json(armed_record(armed))
    else:
        write_line(
            f"{armed.id[:12]}: {armed.plan!r} is armed for a breach of {armed.rule!r} until "
            f"{time_text(armed.expires_us)}"
        )
    return 0


def _check_rule(arguments: argparse.Namespace) -> None:
    from monitor.config.load import load_configuration
    from monitor.errors import OutputwatchError

    configuration = load_configuration(arguments.configuration)
    known = [entry.series for entry in configuration.detectors]
    if arguments.rule not in known:
        message = f"--rule must be a monitored series, got {arguments.rule!r}; {', '.join(known)}"
        raise OutputwatchError(message)
