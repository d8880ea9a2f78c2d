"""``outputwatch comms``: what people are told about an incident; nothing is ever sent.

Each module of this package is one verb, found by scanning.
"""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.verbs import add_verbs

if TYPE_CHECKING:
    from monitor.engine.response.desk import ResponseDesk
    from monitor.incidents.acts.base import Occasion

__all__ = [
    "AUDIENCES",
    "HELP",
    "NAME",
    "add_arguments",
    "add_audience_argument",
    "add_case_arguments",
    "add_person_arguments",
    "occasion",
    "opened_desk",
    "subject",
]

NAME = "comms"
HELP = "draft what people are told about an incident, and keep reporting clocks; sends nothing"

AUDIENCES = ("affected", "customers", "regulator", "public", "staff", "board")
_ROLES = (
    "commander",
    "on_call",
    "ml_lead",
    "product",
    "legal",
    "communications",
    "scribe",
    "owner",
    "governance",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)


def add_case_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, the incident and the form of the answer."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument("incident", metavar="ID", help="an id, its beginning, or a number")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def add_audience_argument(parser: argparse.ArgumentParser) -> None:
    """Declare whom a draft is for."""
    parser.add_argument("audience", metavar="AUDIENCE", choices=AUDIENCES, help=_list(AUDIENCES))
    parser.add_argument(
        "--regime", metavar="DUTY", help="with regulator: the duty, for example gdpr_33"
    )
    parser.add_argument(
        "--templates", metavar="FOLDER", type=Path, help="templates in the place of ours"
    )


def add_person_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare who acts, and who stands by it."""
    parser.add_argument("--by", metavar="NAME", required=True, help="who acts")
    parser.add_argument(
        "--role", metavar="ROLE", required=True, choices=_ROLES, help=_list(_ROLES)
    )
    parser.add_argument("--second", metavar="NAME", help="the second person, where it takes two")
    parser.add_argument(
        "--second-role", metavar="ROLE", choices=_ROLES, help="the role of the second person"
    )
    parser.add_argument("--reason", metavar="TEXT", default="", help="why")


@contextlib.contextmanager
def opened_desk(arguments: argparse.Namespace) -> "Iterator[ResponseDesk]":
    """Provide the desk of the configured monitor.

    Raises
    ------
    OutputwatchError
        If the configuration is wrong, or the database cannot be opened.
    """
    from monitor.clock import SystemClock
    from monitor.config.load import load_configuration
    from monitor.engine.response.desk import ResponseDesk
    from monitor.storage.store import Store

    configuration = load_configuration(arguments.configuration)
    folder = vars(arguments).get("templates")
    with Store.open(configuration.storage.url, must_exist=True) as store:
        yield ResponseDesk(configuration, store, SystemClock(), folder)


def occasion(desk: "ResponseDesk", arguments: argparse.Namespace) -> "Occasion":
    """Return who acts now, as the arguments say.

    Raises
    ------
    OutputwatchError
        If a second person has no role, or a role no person.
    """
    from monitor.errors import OutputwatchError
    from monitor.incidents.roles import Person, Role

    if (arguments.second is None) != (arguments.second_role is None):
        message = "--second and --second-role are given together or not at all"
        raise OutputwatchError(message)
    second = None
    if arguments.second is not None:
        second = Person(name=arguments.second, role=Role(arguments.second_role))
    by = Person(name=arguments.by, role=Role(arguments.role))
    return desk.occasion(by, second, arguments.reason)


def subject(arguments: argparse.Namespace) -> str:
    """Return the name of the draft that the arguments ask for.

    Raises
    ------
    OutputwatchError
        If a report to a regulator has no duty, or another draft has one.
    """
    from monitor.incidents.drafts.audiences import Audience
    from monitor.incidents.drafts.draft import subject_of

    return subject_of(Audience(arguments.audience), arguments.regime)


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(words)
