"""``outputwatch incident fact``: state what sets a floor under the tier."""

import argparse

from monitor.commands.incident import acted, add_act_arguments

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "fact"
HELP = "state or withdraw a fact that sets a floor under the tier"
_FACTS = (
    "harm_linked",
    "child_exploitation",
    "act_outside_authority",
    "clock_48_hours",
    "clock_72_hours",
    "data_shown_to_another",
    "guardrail_missing",
    "outside_inquiry",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the person and what it takes."""
    add_act_arguments(parser)
    parser.add_argument(
        "--fact", required=True, choices=_FACTS, metavar="FACT", help=f"one of {', '.join(_FACTS)}"
    )
    parser.add_argument("--withdraw", action="store_true", help="it turned out not to hold")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write how the incident stands."""
    from monitor.incidents.acts.deciding import StateFact, WithdrawFact
    from monitor.incidents.facts import Fact
    from monitor.severity.scoring import FiveAxes

    fact = Fact(arguments.fact)
    if arguments.withdraw:
        return acted(arguments, WithdrawFact(fact=fact))
    policy = FiveAxes()
    if arguments.configuration is not None:
        from monitor.config.load import load_configuration

        policy = load_configuration(arguments.configuration).severity
    act = StateFact(fact=fact, floors=policy.floors, entitled=policy.entitled)
    return acted(arguments, act)
