"""``outputwatch incident open``: report what no signal showed."""

import argparse

from monitor.commands.incident import (
    TIERS,
    add_database_arguments,
    add_person_arguments,
    occasion,
    response_desk,
    tell,
    time_us,
)

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "open"
HELP = "open an incident that no signal showed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_database_arguments(parser)
    add_person_arguments(parser)
    parser.add_argument("--title", required=True, metavar="TEXT", help="one line in words")
    parser.add_argument(
        "--mode",
        choices=("bias", "safety", "performance", "behavioural"),
        default="behavioural",
        help="the kind it is filed under",
    )
    parser.add_argument(
        "--what", metavar="TEXT", default="", help="what went wrong, in your own words"
    )
    parser.add_argument("--tier", choices=TIERS, default="SEV3", help="how bad you think it is")
    parser.add_argument("--onset", metavar="TIME", help="when it began, RFC 3339")
    parser.add_argument("--drill", action="store_true", help="it is practice")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from detectors.base import FailureMode
    from monitor.incidents.acts.opening import Report
    from monitor.incidents.suggestion import Tier

    on = occasion(arguments)
    with response_desk(arguments) as desk:
        system, _, environment = desk.monitor.rpartition("/")
        report = Report(
            system=system,
            environment=environment,
            title=arguments.title,
            failure_mode=FailureMode(arguments.mode),
            stated_mode=arguments.what,
            tier=Tier(arguments.tier),
            onset_us=time_us("--onset", arguments.onset),
            drill=arguments.drill or _is_practice(arguments),
        )
        tell(arguments, desk.open(report, on))
    return 0


def _is_practice(arguments: argparse.Namespace) -> bool:
    """Return whether everything is practice where the incident is opened."""
    if arguments.configuration is None:
        return False
    from monitor.config.load import load_configuration

    return load_configuration(arguments.configuration).incidents.drill
