"""``outputwatch incident``: what was opened, everything about one of them, and work on it.

Each module of this package is one verb, found by scanning.
"""

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.verbs import add_verbs

if TYPE_CHECKING:
    from monitor.engine.response.acting import ActingDesk
    from monitor.incidents.acts.base import Act, Occasion
    from monitor.incidents.model import Incident
    from monitor.storage.store import Store

__all__ = [
    "HELP",
    "NAME",
    "ROLES",
    "TIERS",
    "acted",
    "add_act_arguments",
    "add_arguments",
    "add_database_arguments",
    "add_person_arguments",
    "occasion",
    "opened_database",
    "response_desk",
    "tell",
    "time_us",
]

NAME = "incident"
HELP = "list, show and work on incidents"
ROLES = (
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
TIERS = ("SEV1", "SEV2", "SEV3", "SEV4")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)


def add_database_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the incidents are kept, and the form of the answer."""
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument(
        "configuration", metavar="CONFIG", nargs="?", help="a YAML file that names the database"
    )
    place.add_argument("--database", metavar="URL", help="a database, instead of CONFIG")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


@contextlib.contextmanager
def opened_database(arguments: argparse.Namespace) -> "Iterator[tuple[Store, str | None]]":
    """Provide the database, and the name of the configured monitor if there is one.

    Raises
    ------
    OutputwatchError
        If the configuration is wrong, or the database cannot be opened.
    """
    from monitor.storage.store import Store

    url, monitor = arguments.database, None
    if url is None:
        from monitor.config.load import load_configuration
        from monitor.engine.incident_desk import monitor_name

        configuration = load_configuration(arguments.configuration)
        url, monitor = configuration.storage.url, monitor_name(configuration)
    with Store.open(url, must_exist=True) as store:
        yield store, monitor


def add_person_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare who acts, in which role, why and when."""
    parser.add_argument("--by", metavar="NAME", required=True, help="who acts")
    parser.add_argument(
        "--role",
        metavar="ROLE",
        required=True,
        choices=ROLES,
        help=f"in which role: {', '.join(ROLES)}",
    )
    parser.add_argument("--reason", metavar="TEXT", default="", help="why")
    parser.add_argument("--second", metavar="NAME", help="who stands by it, where it takes two")
    parser.add_argument(
        "--second-role", metavar="ROLE", choices=ROLES, help="the role of the second person"
    )
    parser.add_argument("--occurred", metavar="TIME", help="when it happened, RFC 3339")
    parser.add_argument("--known", metavar="TIME", help="when it was known, RFC 3339")
    parser.add_argument(
        "--confidence",
        choices=("observed", "stated", "estimated", "alleged"),
        default="stated",
        help="how it is known",
    )


def add_act_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database, the incident and the person."""
    add_database_arguments(parser)
    parser.add_argument("incident", metavar="ID", help="an id, its beginning, or a number")
    add_person_arguments(parser)


def time_us(option: str, text: str | None) -> int | None:
    """Return a time that was given, in microseconds; None if none was.

    Raises
    ------
    OutputwatchError
        If it is not a time.
    """
    from monitor.config.scalars import event_time
    from monitor.errors import OutputwatchError

    if text is None:
        return None
    try:
        return event_time(text)
    except ValueError as error:
        message = f"{option} {error}"
        raise OutputwatchError(message) from error


def occasion(arguments: argparse.Namespace) -> "Occasion":
    """Return who acts, why and when.

    Raises
    ------
    OutputwatchError
        If a time cannot be read, or the second person has no role.
    """
    from monitor.clock import SystemClock
    from monitor.errors import OutputwatchError
    from monitor.incidents.acts.base import Occasion
    from monitor.incidents.roles import Person, Role
    from monitor.incidents.timeline import Confidence

    if (arguments.second is None) != (arguments.second_role is None):
        message = "--second and --second-role must be given together"
        raise OutputwatchError(message)
    second = None
    if arguments.second is not None:
        second = Person(name=arguments.second, role=Role(arguments.second_role))
    return Occasion(
        by=Person(name=arguments.by, role=Role(arguments.role)),
        second=second,
        reason=arguments.reason,
        now_us=SystemClock().now_us(),
        occurred_us=time_us("--occurred", arguments.occurred),
        known_us=time_us("--known", arguments.known),
        confidence=Confidence(arguments.confidence),
    )


@contextlib.contextmanager
def response_desk(
    arguments: argparse.Namespace, incident: str | None = None
) -> "Iterator[ActingDesk]":
    """Provide what takes acts of people.

    Parameters
    ----------
    arguments
        Name the database or a configuration; only the latter says who may act.
    incident
        The incident, whose monitor is looked up where only the database is named.

    Raises
    ------
    OutputwatchError
        If the configuration is wrong, the database cannot be opened, or no monitor is named.
    """
    from monitor.clock import SystemClock
    from monitor.engine.notifying import tell_nobody, telling
    from monitor.engine.response.acting import ActingDesk
    from monitor.errors import OutputwatchError
    from monitor.incidents.business_hours import OFFICE_HOURS
    from monitor.incidents.roles import People

    people, hours, configuration = People(), OFFICE_HOURS, None
    if arguments.configuration is not None:
        from monitor.config.load import load_configuration

        configuration = load_configuration(arguments.configuration)
        people = configuration.people
        hours = configuration.incidents.business_hours
    with opened_database(arguments) as (store, monitor):
        if monitor is None:
            if incident is None:
                message = (
                    "this needs the configuration of a monitor; name it instead of --database"
                )
                raise OutputwatchError(message)
            found = store.incidents().find(incident)
            monitor = store.incidents().monitor_of(found.id)
        # Where only the database is named, the channels are not known.
        tell = tell_nobody if configuration is None else telling(store, configuration, monitor)
        yield ActingDesk(
            store=store,
            monitor=monitor,
            clock=SystemClock(),
            people=people,
            tell=tell,
            hours=hours,
        )


def acted(arguments: argparse.Namespace, act: "Act") -> int:
    """Do something to the incident and write how it stands; return the exit status."""
    on = occasion(arguments)
    with response_desk(arguments, arguments.incident) as desk:
        tell(arguments, desk.act(arguments.incident, act, on))
    return 0


def tell(arguments: argparse.Namespace, incident: "Incident") -> None:
    """Write how an incident stands."""
    from monitor.printing import write_json, write_line

    if arguments.json:
        write_json(
            {
                "id": incident.id,
                "number": incident.number,
                "state": incident.state.value,
                "suggested": incident.suggested.value,
                "confirmed": incident.confirmed.value if incident.confirmed else None,
                "tier": incident.tier.value,
                "could_be": incident.highest.value,
                "facts": [held.fact.value for held in incident.facts],
                "roles": {each.role.value: each.name for each in incident.roles},
                "version": incident.version,
            }
        )
        return
    decided = "confirmed" if incident.confirmed else "suggested"
    practice = "DRILL " if incident.drill else ""
    write_line(
        f"{practice}#{incident.number} {incident.short_id} is {incident.state.value}, "
        f"{incident.tier.value} {decided}: {incident.title}"
    )
